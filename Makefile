# Two commands: `make run` and `make test`. The rest is for developers; the build itself is CMake's (see CMakePresets.json).
.PHONY: run test bench build install clean soak help
DURATION ?=
MODEL ?=
LISTEN ?= 127.0.0.1:8080
PREFIX ?= /usr/local

run: build ## build what is missing and watch four demo cameras (DURATION=20, MODEL=file, LISTEN=addr:port)
	@DURATION="$(DURATION)" MODEL="$(MODEL)" LISTEN="$(LISTEN)" exec tools/run.sh

test: ## build and run the whole test suite
	@tools/bootstrap.sh test
	@tools/test.sh

bench: build ## print the benchmark table
	@tools/bootstrap.sh test
	@tools/bench.sh

build: ## only build
	@tools/bootstrap.sh build
	@cmake --preset release -DITS_TESTS=OFF -B build/run >build/configure.log || { cat build/configure.log; exit 1; }
	@cmake --build build/run >build/build.log || { cat build/build.log; exit 1; }

install: build ## install under PREFIX (and DESTDIR)
	@cmake --install build/run --prefix "$(PREFIX)"

soak: ## the long runs: fuzzing and endurance
	@tools/bootstrap.sh test
	@tools/soak.sh

clean: ## remove what was built (keeps the virtual environments and rendered clips)
	rm -rf build

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
