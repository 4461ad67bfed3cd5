# its_bench(bench_name source.c [more.c ...]): a benchmark program, built with everything, run by hand or `make bench`.
# It prints one JSON line per case.
if(NOT COMMAND its_bench)
  function(its_bench name)
    add_executable(${name} ${ARGN})
    target_link_libraries(${name} PRIVATE its_static)
  endfunction()
endif()
