# By CUDA's compiler, or the host's where something stands in for the runtime; and by the host's in any case.
set(VAE_DIST_CUDA_KERNELS cuda/arithmetic.cu cuda/arrays.cu cuda/importance.cu cuda/input.cu cuda/densities.cu
    cuda/linear.cu cuda/mixture.cu cuda/optimizers.cu cuda/posterior.cu cuda/precision.cu)
set(VAE_DIST_CUDA_SOURCES cuda/check.cpp cuda/cuda.cpp cuda/cuda_backend.cpp cuda/handles.cpp cuda/products.cpp
    cuda/queue.cpp cuda/queue_copies.cpp cuda/queue_graphs.cpp cuda/scratch.cpp)
list(TRANSFORM VAE_DIST_CUDA_KERNELS PREPEND ${PROJECT_SOURCE_DIR}/src/backend/)
list(TRANSFORM VAE_DIST_CUDA_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/src/backend/)
