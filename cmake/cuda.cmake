# CUDA's compiler and libraries, and NCCL where it is installed: targets vae_dist_cuda and vae_dist_nccl.

# Where NVIDIA's installers put it, if it is not on PATH.
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(VAE_DIST_NVCC nvcc HINTS /usr/local/cuda/bin)
  if(VAE_DIST_NVCC)
    set(CMAKE_CUDA_COMPILER ${VAE_DIST_NVCC})
  endif()
endif()
# Ampere, Hopper, Blackwell; later ones get code of the last one's virtual architecture.
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 100)
endif()
enable_language(CUDA)
find_package(CUDAToolkit 12.8 REQUIRED)  # the first one that knows sm_100
# CMake 3.25.1 does not know the flag.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)

add_library(vae_dist_cuda INTERFACE)
target_link_libraries(vae_dist_cuda INTERFACE CUDA::cudart CUDA::cublasLt)
# -fmad=false: as -ffp-contract=off for processors. Lambdas and constants of the host's headers may be used in kernels.
# 554: a conversion of Random123's that is never used.
target_compile_options(vae_dist_cuda INTERFACE
  $<$<COMPILE_LANGUAGE:CUDA>:-fmad=false --expt-relaxed-constexpr -diag-suppress 554 -Xptxas --warn-on-spills
    -Xcompiler=-Wall,-Wextra,-Wshadow>)
if(VAE_DIST_WARNINGS_AS_ERRORS)
  target_compile_options(vae_dist_cuda INTERFACE $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings -Xcompiler=-Werror>)
endif()

find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(NCCL_LIBRARY nccl HINTS ${CUDAToolkit_LIBRARY_DIR})
if(NCCL_INCLUDE_DIR AND NCCL_LIBRARY)
  add_library(vae_dist_nccl INTERFACE)
  target_include_directories(vae_dist_nccl SYSTEM INTERFACE ${NCCL_INCLUDE_DIR})
  target_link_libraries(vae_dist_nccl INTERFACE ${NCCL_LIBRARY} CUDA::cudart)
else()
  message(STATUS "NCCL was not found: sums over GPUs go by MPI")
endif()
