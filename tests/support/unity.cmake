# SPDX-License-Identifier: Apache-2.0
# Included last where CMAKE_UNITY_BUILD is on: unity_groups.py says which sources of a target become one translation unit.
# A whole build of a sanitizer preset parses headers for most of its time; so it parses them a third as often.
function(mybuild_targets folder result)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(subfolders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder IN LISTS subfolders)
    mybuild_targets(${subfolder} more)
    list(APPEND targets ${more})
  endforeach()
  set(${result} ${targets} PARENT_SCOPE)
endfunction()

mybuild_targets(${CMAKE_SOURCE_DIR} targets)
set(table "")
foreach(target IN LISTS targets)
  get_target_property(type ${target} TYPE)
  get_target_property(folder ${target} SOURCE_DIR)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cc$")
  if(NOT type MATCHES "^(EXECUTABLE|.*_LIBRARY)$" OR NOT sources)
    continue()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
  list(TRANSFORM sources PREPEND "${folder}/" REGEX "^[^/]")
  string(APPEND table "${target};${sources}\n")
endforeach()
file(WRITE ${CMAKE_BINARY_DIR}/unity_sources.txt "${table}")

find_package(Python3 REQUIRED COMPONENTS Interpreter)
execute_process(COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/support/unity_groups.py
                INPUT_FILE ${CMAKE_BINARY_DIR}/unity_sources.txt OUTPUT_FILE ${CMAKE_BINARY_DIR}/unity_groups.cmake
                COMMAND_ERROR_IS_FATAL ANY)
include(${CMAKE_BINARY_DIR}/unity_groups.cmake)
