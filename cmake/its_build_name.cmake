# its_build_name(OUT VERSION SOURCE): what is built, for baselines of latency: the version and, where SOURCE is the root of
# a git checkout, its commit ("0.1.0+g0123456789ab"). Neither path nor host nor time, so that a build can be repeated; from
# an archive it is the version alone. The files that tell of another commit are in ITS_BUILD_NAME_DEPENDS.
function(its_build_name out version source)
  set(name ${version})
  set(depends "")
  find_program(ITS_GIT git)
  mark_as_advanced(ITS_GIT)
  if(ITS_GIT)
    execute_process(COMMAND ${ITS_GIT} -C ${source} rev-parse --show-prefix OUTPUT_VARIABLE prefix RESULT_VARIABLE status
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    # an archive unpacked inside another project's checkout is not of that project's commit
    if(status EQUAL 0 AND prefix STREQUAL "")
      execute_process(COMMAND ${ITS_GIT} -C ${source} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit
                      RESULT_VARIABLE status OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    endif()
    if(status EQUAL 0 AND commit)
      string(APPEND name "+g${commit}")
      execute_process(COMMAND ${ITS_GIT} -C ${source} rev-parse --git-path logs/HEAD OUTPUT_VARIABLE log
                      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      get_filename_component(log "${log}" ABSOLUTE BASE_DIR ${source})
      if(EXISTS ${log})
        set(depends ${log})
      endif()
    endif()
  endif()
  set(${out} ${name} PARENT_SCOPE)
  set(ITS_BUILD_NAME_DEPENDS ${depends} PARENT_SCOPE)
endfunction()
