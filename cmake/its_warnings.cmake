# Warnings and sanitizers as one interface target that everything links.
add_library(its_build_flags INTERFACE)
target_compile_definitions(its_build_flags INTERFACE _GNU_SOURCE)
target_compile_options(its_build_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes
                       -Wmissing-prototypes -Wvla -Werror -fno-strict-aliasing)
if(ITS_SANITIZE)
  target_compile_options(its_build_flags INTERFACE -fsanitize=${ITS_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(its_build_flags INTERFACE -fsanitize=${ITS_SANITIZE})
endif()
