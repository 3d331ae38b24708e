# What every room shares: language level, warnings, sanitizers, and the two functions that declare
# a room and a test.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

option(CONVOY_PCH "Precompile the standard library's and the dependencies' headers: builds in half the time" ON)

# For whoever builds everything once. Who edits one file compiles it with seven others, so it is off by default.
option(CONVOY_UNITY "Compile the sources of a room or a test eight at a time: a whole build in much less time" OFF)

# ccache must be told that it may trust a precompiled header.
find_program(CONVOY_CCACHE ccache)
if(CONVOY_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${CONVOY_CCACHE}")
  if(CONVOY_PCH)
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  endif()
endif()

if(CONVOY_SANITIZE)
  add_compile_options(-fsanitize=${CONVOY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CONVOY_SANITIZE})
endif()

option(CONVOY_FUZZ "Build the fuzzers of tests/fuzz, with AddressSanitizer and UBSan; needs clang" OFF)
if(CONVOY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

add_library(convoy_warnings INTERFACE)
# Of what nvcc makes of our code for the host, -Wpedantic and -Wconversion say too much.
target_compile_options(convoy_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion>
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>)

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)

set(CONVOY_COMMON_HEADERS <algorithm> <array> <cstdint> <functional> <map> <memory> <optional> <span> <string> <variant>
  <vector> <fmt/format.h>)

# What is compiled with CONVOY_UNITY several files at a time: names of unnamed namespaces must be different throughout a
# room, or a test.
function(convoy_unite name)
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${CONVOY_UNITY} UNITY_BUILD_BATCH_SIZE 8)
endfunction()

# convoy_room(NAME SOURCES ... DEPENDS ... HEADERS ... [HEADERS_OF room] [LIGHT]): one folder, one library. DEPENDS are rooms
# above; HEADERS are those of dependencies that many of its files include, to be precompiled, or HEADERS_OF names a room
# with the same flags whose precompiled headers serve. LIGHT rooms have no arithmetic that is worth the compiler's time.
function(convoy_room name)
  cmake_parse_arguments(ROOM "LIGHT" "HEADERS_OF" "SOURCES;DEPENDS;HEADERS" ${ARGN})
  add_library(${name} STATIC ${ROOM_SOURCES})
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${ROOM_DEPENDS} PRIVATE convoy_warnings)
  if(ROOM_LIGHT)
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  convoy_unite(${name})
  if(CONVOY_PCH AND ROOM_HEADERS_OF)
    target_precompile_headers(${name} REUSE_FROM ${ROOM_HEADERS_OF})
  elseif(CONVOY_PCH)
    target_precompile_headers(${name} PRIVATE ${CONVOY_COMMON_HEADERS} ${ROOM_HEADERS})
  endif()
endfunction()

# convoy_test(NAME SOURCES ... DEPENDS ... LABELS ... TIMEOUT seconds): one GoogleTest binary, each test its own
# ctest entry.
function(convoy_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_DEPENDS} convoy_test_base)
  convoy_unite(${name})
  if(CONVOY_PCH)
    target_precompile_headers(${name} REUSE_FROM convoy_test_headers)
  endif()
  if(NOT TEST_LABELS)
    set(TEST_LABELS unit)
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${TEST_LABELS}" TIMEOUT ${TEST_TIMEOUT})
endfunction()

# CUDA: with AUTO the build goes on without toolkit or cuDNN, with ON it does not.
set(CONVOY_HAVE_CUDA OFF)
if(NOT CONVOY_CUDA STREQUAL "OFF")
  list(APPEND CMAKE_PREFIX_PATH /usr/local/cuda)
  find_package(CUDAToolkit 12 QUIET)
  if(CUDAToolkit_FOUND)
    find_path(CUDNN_INCLUDE_DIR cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
    find_library(CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
    if(NOT CONVOY_NCCL STREQUAL "OFF")
      find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
      find_library(NCCL_LIBRARY nccl HINTS ${CUDAToolkit_LIBRARY_DIR})
    endif()
  endif()
  if(CUDNN_INCLUDE_DIR AND CUDNN_LIBRARY)
    set(CONVOY_HAVE_CUDA ON)
    set(CMAKE_CUDA_ARCHITECTURES "${CONVOY_CUDA_ARCHITECTURES}")
    if(NOT CMAKE_CUDA_COMPILER)
      set(CMAKE_CUDA_COMPILER "${CUDAToolkit_NVCC_EXECUTABLE}")
    endif()
    if(CONVOY_CCACHE)
      set(CMAKE_CUDA_COMPILER_LAUNCHER "${CONVOY_CCACHE}")
    endif()
    enable_language(CUDA)
    # CMake 3.25 does not know that nvcc has C++20.
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
    # Arithmetic shared with the processor is of constexpr functions.
    string(APPEND CMAKE_CUDA_FLAGS " --expt-relaxed-constexpr")
    message(STATUS "CUDA ${CUDAToolkit_VERSION}, for ${CONVOY_CUDA_ARCHITECTURES}")
    # Without NCCL gradients go from GPU to GPU through the host.
    set(CONVOY_HAVE_NCCL OFF)
    if(CONVOY_NCCL STREQUAL "OFF")
    elseif(NCCL_INCLUDE_DIR AND NCCL_LIBRARY)
      set(CONVOY_HAVE_NCCL ON)
    elseif(CONVOY_NCCL STREQUAL "ON")
      message(FATAL_ERROR "CONVOY_NCCL=ON, but NCCL was not found; install it, or set NCCL_INCLUDE_DIR and NCCL_LIBRARY")
    else()
      message(STATUS "no NCCL found: gradients go from GPU to GPU through the host")
    endif()
  elseif(CONVOY_CUDA STREQUAL "ON")
    message(FATAL_ERROR "CONVOY_CUDA=ON, but no CUDA toolkit with cuDNN was found; install them, or set CUDAToolkit_ROOT")
  else()
    message(STATUS "no CUDA toolkit with cuDNN found: building for the CPU alone")
  endif()
endif()
