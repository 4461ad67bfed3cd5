# A room is a folder of src/ with a CMakeLists of its own: its_sources(...) and its_test(...).
#
# All rooms compile into one object library; from it come the static library that tests and the daemon link (internal
# symbols visible) and the shared library that is installed (only ITS_API symbols visible).

function(its_sources)
  foreach(source IN LISTS ARGN)
    target_sources(its_objects PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${source})
  endforeach()
endfunction()

# What `ctest -L unit` runs, and no more: what the sanitizers are built for.
add_custom_target(unit_tests)

# Some two hundred programs of the same library are linked: gold does it in a third of the time. What is installed is
# linked by the compiler's own choice.
find_program(ITS_GOLD ld.gold)
function(its_link_fast target)
  if(ITS_GOLD)
    target_link_options(${target} PRIVATE -fuse-ld=gold)
  endif()
endfunction()

# its_test(unit.base.url url_test.c [more.c ...] [LABELS a b] [TIMEOUT s] [WAITS] [COST c])
# WAITS: it spends its time waiting for the clock. ctest is given two slots a processor (tools/test.sh): what computes takes
# two of them, what waits takes one. COST: what takes longest begins first, so that nothing is waited for at the end.
function(its_test name)
  if(NOT ITS_TESTS)
    return()
  endif()
  cmake_parse_arguments(T "WAITS" "TIMEOUT;COST" "LABELS" ${ARGN})
  string(REPLACE "." "_" target ${name})
  add_executable(${target} ${T_UNPARSED_ARGUMENTS})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${target} PRIVATE its_static PkgConfig::CMOCKA)
  its_link_fast(${target})
  add_test(NAME ${name} COMMAND ${target})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 60)
  endif()
  if(NOT T_LABELS)
    set(T_LABELS unit)
  endif()
  if("unit" IN_LIST T_LABELS)
    add_dependencies(unit_tests ${target})
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "${T_LABELS}" SKIP_RETURN_CODE 77)
  if(NOT T_COST)
    set(T_COST 1)
    if(T_WAITS)
      set(T_COST 30)
    endif()
  endif()
  set_tests_properties(${name} PROPERTIES COST ${T_COST})
  if(NOT T_WAITS)
    set_tests_properties(${name} PROPERTIES PROCESSORS 2)
  endif()
endfunction()

# its_test_alone(name ...): it measures time, or loads the machine as it needs it. Nothing else runs meanwhile, in ctest nor
# beside it.
function(its_test_alone)
  foreach(name IN LISTS ARGN)
    set_property(TEST ${name} PROPERTY RUN_SERIAL ON)
    set_property(TEST ${name} APPEND PROPERTY LABELS alone)
  endforeach()
endfunction()

# its_test_of_one_thread(name ...): a second thread is nowhere in it, so that ThreadSanitizer, which makes it ten times slower,
# has nothing to find. Of the tests that take seconds.
function(its_test_of_one_thread)
  foreach(name IN LISTS ARGN)
    if(TEST ${name})
      set_property(TEST ${name} APPEND PROPERTY LABELS one_thread)
    endif()
  endforeach()
endfunction()
