# What a compiler and libraries must have, told when the build is configured. One message each: what is wrong, and what to do.

function(vae_dist_require_compiler id version)
  set(first_GNU 12)
  set(first_Clang 14)
  if(NOT DEFINED first_${id})
    message(WARNING "vae_dist was never built with this compiler, ${id} ${version}; GCC from 12 and Clang from 14 on are supported")
  elseif(version VERSION_LESS first_${id})
    message(FATAL_ERROR "${id} ${version} is too old: vae_dist needs GCC from 12 or Clang from 14 on; "
                        "choose one with -DCMAKE_C_COMPILER=... -DCMAKE_CXX_COMPILER=...")
  endif()
endfunction()

# Files are read and written in the background, while others are open.
function(vae_dist_require_threadsafe_hdf5 include_dirs)
  set(found)
  foreach(dir IN LISTS include_dirs)
    file(GLOB headers ${dir}/H5pubconf*.h)
    foreach(header IN LISTS headers)
      file(STRINGS ${header} lines REGEX "^#define H5_HAVE_(THREADSAFE|THREADSAFE_API|CONCURRENCY) +1")
      if(lines)
        return()
      endif()
      list(APPEND found ${header})
    endforeach()
  endforeach()
  if(found)
    list(GET found 0 header)
    message(FATAL_ERROR "This HDF5 was built without thread safety (${header} has no H5_HAVE_THREADSAFE), which vae_dist needs. "
                        "Debian's libhdf5-dev has it; one of your own is built with --enable-threadsafe --disable-hl, or "
                        "-DHDF5_ENABLE_THREADSAFE=ON -DHDF5_BUILD_HL_LIB=OFF. Name it with -DHDF5_ROOT=...")
  endif()
endfunction()

function(vae_dist_require_onednn include_dir)
  set(without "or build without it: -DVAE_DIST_ONEDNN=OFF")
  set(version_header ${include_dir}/oneapi/dnnl/dnnl_version.h)
  set(config_header ${include_dir}/oneapi/dnnl/dnnl_config.h)
  file(STRINGS ${version_header} major REGEX "^#define DNNL_VERSION_MAJOR +[0-9]+")
  string(REGEX REPLACE "^.* ([0-9]+).*" "\\1" major "${major}")
  if(NOT major MATCHES "^[23]$")
    message(FATAL_ERROR "oneDNN ${major} (${version_header}) is not supported: take version 2 or 3, ${without}")
  endif()
  # The number of threads is told to OpenMP (src/backend/cpu/library_threads.cpp).
  file(STRINGS ${config_header} runtime REGEX "^#define DNNL_CPU_RUNTIME +DNNL_RUNTIME_")
  string(REGEX REPLACE "^.*DNNL_RUNTIME_([A-Z]+).*" "\\1" runtime "${runtime}")
  if(NOT runtime MATCHES "^(OMP|SEQ)$")
    message(FATAL_ERROR "This oneDNN runs on ${runtime} (${config_header}): vae_dist could not tell it how many threads it has. "
                        "Take one that was built with -DONEDNN_CPU_RUNTIME=OMP or SEQ, as Debian's libdnnl-dev, ${without}")
  endif()
endfunction()
