"""The memory of accelerators: it is not what a container's memory limit counts."""

from __future__ import annotations

import re

from receiver.diagnosis.log.signatures.model import EXACT, GPU, RUNTIME, LogPattern

_SMALLER = "A smaller batch, context or model precision, or a larger GPU. A higher memory limit of the container changes nothing here."

PATTERNS: tuple[LogPattern, ...] = (
    LogPattern(
        id="python-torch-cuda",
        runtime="python",
        kind=GPU,
        rank=EXACT,
        hint="of",
        regex=re.compile(
            r"(?<!avoid )(?<!prevent )(?<!avoiding )\b(?:CUDA|HIP|XPU|NPU|MLU|MUSA|MPS backend) out of memory(?=[.,:( ]|$)(?! (?:handler|check|retr|test|errors? (?:are|is)))"
            r"|(?<!except )\btorch(?:\.cuda)?\.OutOfMemoryError(?=:|$)"
        ),
        meaning="the GPU's memory was full, not the container's",
        advice="A smaller batch or model precision. A higher memory limit of the container changes nothing here.",
        example="torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 15.77 GiB total capacity; "
        "13.10 GiB already allocated)",
        near_miss="INFO CUDA available: True, device memory 15.77 GiB",
        source="PyTorch, c10/cuda/CUDACachingAllocator.cpp; aten/src/ATen/mps/MPSAllocator.mm",
    ),
    LogPattern(
        id="gpu-cuda-call",
        runtime="gpu",
        kind=GPU,
        rank=EXACT,
        hint="memory",
        regex=re.compile(
            r"\b(?:cuda|hip|musa)(?:Malloc|HostAlloc|MemCreate)\w{0,24} failed: out of memory|(?:CUDA|HIP|ROCm|MUSA)(?: driver| runtime)? (?:error|failure)(?: \d{1,4})?:? '?out of memory"
            r"|Cuda failure (?:\d{1,4} )?'out of memory'|Cuda Runtime \(out of memory\)|cudaErrorMemoryAllocation|hipErrorOutOfMemory|CUDA_ERROR_OUT_OF_MEMORY"
            r"|[Oo]ut of GPU memory|\bGPU(?: \d{1,3})?(?: is)?(?: ran)? out of memory|[Oo]ut of memory error on GPU|cupy\.cuda\.memory\.OutOfMemoryError"
        ),
        meaning="the GPU's memory was full, not the container's",
        advice=_SMALLER,
        example="ggml_backend_cuda_buffer_type_alloc_buffer: allocating 4403.49 MiB on device 0: cudaMalloc failed: out of memory",
        near_miss="ggml_cuda_init: found 1 CUDA devices: Device 0: NVIDIA A10, compute capability 8.6, VMM: yes",
        source="NVIDIA CUDA driver and runtime API, error 2; AMD HIP, hipErrorOutOfMemory; ggml, src/ggml-cuda/ggml-cuda.cu",
    ),
    LogPattern(
        id="gpu-cublas",
        runtime="gpu",
        kind=GPU,
        rank=EXACT,
        hint="_alloc_failed",
        regex=re.compile(r"(?:CUBLAS|CUDNN|CUSPARSE|CUSOLVER|ROCBLAS|HIPBLAS)_STATUS_ALLOC_FAILED"),
        meaning="the GPU had no memory left for a library's workspace",
        advice=_SMALLER,
        example="RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        near_miss="RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`",
        source="NVIDIA cuBLAS, cublasStatus_t",
    ),
    LogPattern(
        id="gpu-llama-buffer",
        runtime="gpu",
        kind=GPU,
        rank=EXACT,
        hint="buffer",
        regex=re.compile(r"(?:failed|unable) to allocate (?:CUDA|ROCm|Vulkan|Metal|SYCL|CANN|MUSA)\d{0,2}(?:_Split)? buffer"),
        meaning="a model did not fit into the GPU's memory",
        advice="Fewer layers on the GPU, a smaller context or quantisation, or a larger GPU. The container's memory limit plays no part.",
        example="alloc_tensor_range: failed to allocate CUDA0 buffer of size 4617396224",
        near_miss="load_tensors:        CUDA0 model buffer size =  4403.49 MiB",
        source="llama.cpp, ggml/src/ggml-alloc.c and src/llama-model.cpp; Ollama prints the same",
    ),
    LogPattern(
        id="gpu-vulkan",
        runtime="gpu",
        kind=GPU,
        rank=EXACT,
        hint="",
        regex=re.compile(
            r"ErrorOutOfDeviceMemory|ERROR_OUT_OF_DEVICE_MEMORY|Device memory allocation of size \d{1,20} failed|\bMEM_OBJECT_ALLOCATION_FAILURE|CL_MEM_OBJECT_ALLOCATION_FAILURE"
            r"|CL_OUT_OF_DEVICE_MEMORY|UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY|CommandBufferCallbackErrorOutOfMemory"
        ),
        meaning="the GPU's memory was full, not the container's",
        advice=_SMALLER,
        example="ggml_vulkan: vk::Device::allocateMemory: ErrorOutOfDeviceMemory",
        near_miss="ggml_vulkan: Found 1 Vulkan devices: 0 = AMD Radeon RX 7900 XTX (RADV NAVI31)",
        source="Vulkan, VkResult; OpenCL, cl.h; Level Zero; Apple Metal; ggml, src/ggml-vulkan/ggml-vulkan.cpp",
    ),
    LogPattern(
        id="gpu-tensorflow",
        runtime="gpu",
        kind=GPU,
        rank=EXACT,
        hint="gpu",
        regex=re.compile(
            r"OOM when allocating tensor [^\n]{0,300}?(?:device:GPU:\d|by allocator GPU_)|Allocator \(GPU_\d{1,3}_bfc\) ran out of memory|GPU_\d{1,3}_bfc\S{0,20} ran out of memory"
        ),
        meaning="TensorFlow was refused a tensor in the GPU's memory",
        advice="A smaller batch, mixed precision, or set_memory_growth where processes share the GPU. The container's limit plays no part.",
        example="tensorflow.python.framework.errors_impl.ResourceExhaustedError: OOM when allocating tensor with shape[256,128,128,64] and "
        "type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc",
        near_miss="Created device /job:localhost/replica:0/task:0/device:GPU:0 with 14000 MB memory",
        source="TensorFlow, core/framework/op_kernel.cc; XLA, tsl/framework/bfc_allocator.cc",
    ),
    LogPattern(
        id="gpu-xla",
        runtime="gpu",
        kind=GPU,
        rank=EXACT,
        hint="",
        regex=re.compile(
            r"RESOURCE_EXHAUSTED: (?:Out of memory (?:while trying to allocate|allocating) \d|Attempting to (?:allocate|reserve) [\d.]{1,12}[KMGT]?B?|[^\n]{0,120}?Ran out of memory in memory space)"
            r"|\bAttempting to (?:allocate|reserve) [\d.]{1,12}[KMGT]?B?[^\n]{0,40}?\. That was not possible|Out of memory allocating \d{1,20} bytes on (?:TPU|GPU)"
            r"|Ran out of memory in memory space (?:hbm|vmem|smem)|TensorCore Hbm usage: [\d.]{1,12}[KMG], [^\n]{0,80}exceeding available"
        ),
        meaning="the accelerator's memory (GPU or TPU) was full, not the container's",
        advice="A smaller batch, rematerialisation, or more chips to shard over; XLA_PYTHON_CLIENT_MEM_FRACTION where processes share one.",
        example="jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes.",
        near_miss="grpc._channel._InactiveRpcError: RESOURCE_EXHAUSTED: Received message larger than max (5242880 vs. 4194304)",
        source="XLA, pjrt and service/hlo_rematerialization; XLA's error codes E1000 and E1001; pytorch/xla#1735, #8020, googlecolab/colabtools#5126",
    ),
    LogPattern(
        id="gpu-tensorrt",
        runtime="gpu",
        kind=GPU,
        rank=EXACT,
        hint="requested amount of",
        regex=re.compile(r"(?:\bERROR\b|\[E\])[^\n]{0,80}?Requested amount of (?:GPU )?memory \(\d{1,20} bytes\) could not be allocated"),
        meaning="the GPU's memory was full while TensorRT built or ran its engine, not the container's",
        advice="A smaller workspace or batch, a lower precision (FP16, INT8), or a GPU with more memory.",
        example="[TensorRT] ERROR: Requested amount of GPU memory (4294967296 bytes) could not be allocated. There may not be enough free memory.",
        near_miss="[11/10/2022-15:02:13] [TRT] [W] Requested amount of GPU memory (4294967296 bytes) could not be allocated. There may not be "
        "enough free memory for allocation to succeed.",
        source="NVIDIA TensorRT's builder: NVIDIA-AI-IOT/torch2trt#661; as a warning it only skips a tactic: enazoe/yolo-tensorrt#169",
    ),
    LogPattern(
        id="gpu-vllm",
        runtime="gpu",
        kind=GPU,
        rank=EXACT,
        hint="",
        regex=re.compile(
            r"No available memory for the cache blocks|larger than the (?:available KV cache memory|maximum number of tokens that can be stored in KV cache)"
            r"|Free memory on device [^\n]{0,80}? is less than desired GPU memory utilization|Not enough memory\. Please try to (?:increase|decrease) --mem-fraction-static"
        ),
        meaning="the model and its KV cache do not fit into the GPU's memory",
        advice="Lower --max-model-len or the number of parallel sequences, quantise, raise --gpu-memory-utilization, or shard over more GPUs.",
        example="ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.",
        near_miss="INFO 05-02 10:11:12 gpu_executor.py:122] # GPU blocks: 2643, # CPU blocks: 2048",
        source="vLLM, vllm/v1/core/kv_cache_utils.py and worker/gpu_worker.py; SGLang, model_runner.py",
    ),
    LogPattern(
        id="gpu-video",
        runtime="gpu",
        kind=GPU,
        rank=RUNTIME,
        hint="out of memory",
        regex=re.compile(r"OpenEncodeSessionEx failed: out of memory|\[(?:h264|hevc|av1)_(?:nvenc|cuvid)[^\n]{0,80}out of memory"),
        meaning="the GPU had no memory left for another encoder or decoder",
        advice="Fewer parallel streams on this GPU, or a GPU with more memory; consumer cards also bound the number of sessions.",
        example="[h264_nvenc @ 0x55d0c0a3b2c0] OpenEncodeSessionEx failed: out of memory (10): (no details)",
        near_miss="[h264_nvenc @ 0x55d0c0a3b2c0] OpenEncodeSessionEx failed: unsupported device (2): (no details)",
        source="FFmpeg, libavcodec/nvenc.c",
    ),
)
