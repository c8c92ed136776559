# weir_module(<folder> [THREADS] [TESTS_ALONE] [DEPS m...] [LIBS target...] [TEST_DEPS m...])
#
# One folder of src/ becomes one static library `weir_<folder>`, one doctest program
# `<folder>_test` made of its *_test.cc files, and one link test: the whole archive linked with
# nothing but its declared dependencies, so an undeclared one fails to link. THREADS labels the
# tests of a folder that has threads for the thread sanitizer. TESTS_ALONE: its tests share names, so
# that they are compiled one by one where WEIR_UNITY compiles several files as one.
# Its testing/*.cc become `weir_<folder>_testing`, which only tests of it and of its dependants link.
# tools/tidy.py reads these same calls and checks every #include against them.
function(weir_target_name out folder)
  string(REPLACE "/" "_" name "${folder}")
  set(${out} "${name}" PARENT_SCOPE)
endfunction()

function(weir_pch target)
  if(target STREQUAL "weir_base")
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
  else()
    target_precompile_headers(${target} REUSE_FROM weir_base)
  endif()
endfunction()

function(weir_test_pch target)
  target_precompile_headers(${target} REUSE_FROM weir_test_main)
endfunction()

function(weir_module folder)
  cmake_parse_arguments(ARG "THREADS;TESTS_ALONE" "" "DEPS;LIBS;TEST_DEPS" ${ARGN})
  weir_target_name(name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS src/${folder}/*.cc)
  file(GLOB testing CONFIGURE_DEPENDS src/${folder}/testing/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  set(deps "")
  foreach(dep IN LISTS ARG_DEPS)
    weir_target_name(dep_name ${dep})
    list(APPEND deps weir_${dep_name})
  endforeach()
  set(test_deps "")
  foreach(dep IN LISTS ARG_TEST_DEPS)
    weir_target_name(dep_name ${dep})
    list(APPEND test_deps weir_${dep_name})
  endforeach()

  if(NOT sources)
    set(sources ${CMAKE_SOURCE_DIR}/cmake/empty.cc)
  endif()
  add_library(weir_${name} STATIC ${sources})
  target_include_directories(weir_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(weir_${name} PUBLIC weir_options ${deps} PRIVATE ${ARG_LIBS})
  weir_pch(weir_${name})
  if(WEIR_UNITY)
    set_target_properties(weir_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  endif()

  add_executable(${name}_links EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/cmake/link_main.cc)
  target_link_libraries(
    ${name}_links PRIVATE "$<LINK_LIBRARY:WHOLE_ARCHIVE,weir_${name}>" ${deps} ${ARG_LIBS} weir_options)
  add_dependencies(weir_link_tests ${name}_links)

  if(testing)
    add_library(weir_${name}_testing STATIC EXCLUDE_FROM_ALL ${testing})
    target_link_libraries(weir_${name}_testing PUBLIC weir_${name} rapidcheck PRIVATE ${ARG_LIBS})
    weir_test_pch(weir_${name}_testing)
    if(WEIR_UNITY)
      set_target_properties(weir_${name}_testing PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
    endif()
  endif()

  if(tests)
    set(testing_libs "")
    foreach(lib IN ITEMS weir_${name} ${deps} ${test_deps})
      if(TARGET ${lib}_testing)
        list(APPEND testing_libs ${lib}_testing)
      endif()
    endforeach()
    add_executable(${name}_test ${tests})
    target_link_libraries(
      ${name}_test PRIVATE ${testing_libs} weir_${name} ${test_deps} ${ARG_LIBS} weir_test_main rapidcheck)
    weir_test_pch(${name}_test)
    if(WEIR_UNITY AND NOT ARG_TESTS_ALONE)
      set_target_properties(${name}_test PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
    endif()
    add_test(NAME ${name} COMMAND ${name}_test "--test-case-exclude=${WEIR_TEST_EXCLUDE}")
    set(labels fast)
    if(ARG_THREADS)
      list(APPEND labels threads)
      add_dependencies(weir_threads_tests ${name}_test)
    endif()
    set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT 300)
  endif()
endfunction()
