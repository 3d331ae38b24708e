# What is compiled for GPUs here, and as loops on the processor in tests/layers/cuda.
set(CONVOY_CUDA_KERNELS batch_norm convolution copies elementwise loss lrn per_channel pooling update)
list(TRANSFORM CONVOY_CUDA_KERNELS REPLACE "(.+)" "${CMAKE_CURRENT_LIST_DIR}/kernels/\\1.cu")
set(CONVOY_CUDA_LAYERS elementwise library_work loss lower normalization own_backend pooling shape weighted)
list(TRANSFORM CONVOY_CUDA_LAYERS REPLACE "(.+)" "${CMAKE_CURRENT_LIST_DIR}/\\1.cpp")
