# What the compiler may use when it compiles for VAE_DIST_ARCH, so that a program can ask the processor for it at its
# start. Sets, by running the compiler's preprocessor:
#   VAE_DIST_FEATURES         names that __builtin_cpu_supports knows: "avx2;fma;..."; empty where not x86
#   VAE_DIST_INSTRUCTION_SET  a short description: "x86-64-v4 avx512vnni ..."

# Each predefined macro, and the feature that it stands for; in four levels of x86-64, and what goes beyond them.
set(level2 SSE3=sse3 SSSE3=ssse3 SSE4_1=sse4.1 SSE4_2=sse4.2 POPCNT=popcnt)
set(level3 AVX=avx AVX2=avx2 BMI=bmi BMI2=bmi2 F16C=f16c FMA=fma LZCNT=lzcnt MOVBE=movbe)
set(level4 AVX512F=avx512f AVX512BW=avx512bw AVX512CD=avx512cd AVX512DQ=avx512dq AVX512VL=avx512vl)
set(beyond AVX512IFMA=avx512ifma AVX512VBMI=avx512vbmi AVX512VBMI2=avx512vbmi2 AVX512VNNI=avx512vnni
    AVX512BITALG=avx512bitalg AVX512VPOPCNTDQ=avx512vpopcntdq AVX512BF16=avx512bf16 GFNI=gfni VAES=vaes
    VPCLMULQDQ=vpclmulqdq)

separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
if(VAE_DIST_ARCH)
  list(APPEND flags -march=${VAE_DIST_ARCH})
endif()
execute_process(COMMAND ${CMAKE_CXX_COMPILER} ${flags} -dM -E -x c++ /dev/null
                OUTPUT_VARIABLE macros ERROR_VARIABLE error RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "The compiler refuses VAE_DIST_ARCH=${VAE_DIST_ARCH}: ${error}")
endif()

# Splits the list named by `pairs` into the features that the compiler may use and those that it may not.
function(find_features pairs present missing)
  set(found)
  set(lacking)
  foreach(pair IN LISTS ${pairs})
    string(REPLACE "=" ";" pair ${pair})
    list(GET pair 0 macro)
    list(GET pair 1 feature)
    if(macros MATCHES "#define __${macro}__ 1")
      list(APPEND found ${feature})
    else()
      list(APPEND lacking ${feature})
    endif()
  endforeach()
  set(${present} ${found} PARENT_SCOPE)
  set(${missing} ${lacking} PARENT_SCOPE)
endfunction()

set(VAE_DIST_FEATURES)
if(macros MATCHES "#define __x86_64__ 1")
  set(VAE_DIST_INSTRUCTION_SET "x86-64")
  set(complete ON)
  set(extras)
  foreach(level 2 3 4)
    find_features(level${level} present missing)
    list(APPEND VAE_DIST_FEATURES ${present})
    if(missing)
      set(complete OFF)
    endif()
    if(complete)
      set(VAE_DIST_INSTRUCTION_SET "x86-64-v${level}")
    else()
      list(APPEND extras ${present})
    endif()
  endforeach()
  find_features(beyond present missing)
  list(APPEND VAE_DIST_FEATURES ${present})
  list(APPEND extras ${present})
  list(PREPEND extras ${VAE_DIST_INSTRUCTION_SET})
  list(JOIN extras " " VAE_DIST_INSTRUCTION_SET)
else()
  set(VAE_DIST_INSTRUCTION_SET "${CMAKE_SYSTEM_PROCESSOR} ${VAE_DIST_ARCH}")
endif()
