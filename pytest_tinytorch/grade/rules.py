"""What a submission is not to use, as data: anywhere (`FORBIDDEN`), or in one exercise (`DELEGATION`).

Each entry has one sentence that says why. What the course's modules do use is not here: threading, concurrent.futures,
tracemalloc, zipfile, tempfile, threadpoolctl and the like. The standard the entries are held to: no honest solution,
however unusual, meets one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """Names that no file of the package uses.

    `imports` are modules of which the import is enough, `uses` are dotted names, with all that lies below them.
    """

    says: str
    imports: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """What an exercise must not hand on to others. `exercises` are `module.function`.

    `uses` holds dotted names of libraries (`numpy.dot`), attributes of anything (`.dot`), operators (`@`), functions of
    the course (`tt.acceleration.matmul_tiled`) and UNLOOPED.
    """

    says: str
    exercises: tuple[str, ...]
    uses: frozenset[str]


UNLOOPED = "@ without a loop"  # a product of matrices in an exercise that has no loop around anything


def within(name: str, uses: frozenset[str]) -> str:
    """The one of some dotted names that this one is, or lies below; empty where there is none."""
    return next((start for start in accumulate(name.split("."), "{}.{}".format) if start in uses), "")


def _words(text: str, prefix: str = "") -> frozenset[str]:
    return frozenset(prefix + word for word in text.split())


# ---- anywhere --------------------------------------------------------------------------------------------

FORBIDDEN = (
    Forbidden(
        says="a finished framework or numerical library stands in for what the course has its students write; "
        "compare with it in tests/",
        imports=_words(
            "torch torchvision torchaudio functorch tensorflow keras jax jaxlib flax haiku optax equinox mxnet paddle "
            "mindspore oneflow theano pytensor aesara chainer lasagne caffe2 caffe mlx dynet cntk tinygrad micrograd "
            "minitorch needle autograd transformers tokenizers tiktoken sentencepiece accelerate einops opt_einsum "
            "onnx onnxruntime openvino tvm triton scipy sklearn statsmodels pingouin skimage cv2 cupy cupyx numba "
            "llvmlite numexpr pyximport cython Cython cffi pybind11 nanobind xgboost lightgbm gensim spacy nltk"
        ),
        uses=_words("numpy.f2py numpy.ctypeslib"),
    ),
    Forbidden(
        says="a finished cache stands in for the one that module 17 writes",
        imports=_words("cachetools diskcache joblib"),
    ),
    Forbidden(
        says="no exercise starts another process, and the grader lets none do its work",
        imports=_words("subprocess _posixsubprocess pty pexpect sh"),
        uses=frozenset().union(
            _words(
                "fork forkpty system popen execl execle execlp execlpe execv execve execvp execvpe spawnl spawnle "
                "spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe posix_spawn posix_spawnp startfile",
                "os.",
            ),
            _words(
                "Process Pool Queue SimpleQueue JoinableQueue Pipe Manager Value Array RawValue RawArray get_context "
                "set_start_method process managers connection context popen_fork popen_spawn_posix forkserver "
                "pool.Pool reduction spawn",
                "multiprocessing.",
            ),
            _words("concurrent.futures.ProcessPoolExecutor concurrent.futures.process"),
        ),
    ),
    Forbidden(
        says="it would end the process or its neighbours, which no exercise asks for",
        uses=_words("os._exit os.abort os.kill os.killpg"),
    ),
    Forbidden(
        says="it reaches below Python, where no exercise has to",
        imports=_words("ctypes _ctypes posix nt cffi"),
    ),
    Forbidden(
        says="the package is judged by the checks, and has no business with them",
        imports=_words("_pytest pytest_tinytorch pluggy pytest"),
    ),
    Forbidden(
        says="no exercise needs the network, and the grader has none",
        imports=_words(
            "socket _socket socketserver ssl requests urllib3 httpx aiohttp ftplib smtplib telnetlib poplib imaplib "
            "nntplib xmlrpc websocket websockets paramiko"
        ),
        uses=_words("urllib.request http.client http.server asyncio.open_connection asyncio.start_server"),
    ),
    Forbidden(
        says="it runs text as code, so nobody can read what is run",
        imports=_words("runpy codeop zipimport imp"),
        uses=_words(
            "builtins.eval builtins.exec builtins.compile builtins.__import__ builtins.__dict__ types.CodeType"
        ),
    ),
    Forbidden(
        says="it imports by other ways than `import`",
        uses=_words(
            "importlib.reload importlib.__import__ importlib.machinery importlib.abc importlib.util.module_from_spec "
            "importlib.util.spec_from_file_location importlib.util.spec_from_loader importlib.util.LazyLoader "
            "sys.meta_path sys.path_hooks sys.path_importer_cache"
        ),
    ),
    Forbidden(
        says="it runs code of whoever made the file; module 07 saves without it",
        imports=_words("dill cloudpickle shelve marshal _pickle"),
        uses=_words("pickle.load pickle.loads pickle.Unpickler"),
    ),
    Forbidden(
        says="it looks into what runs around the package, which no exercise needs",
        uses=frozenset().union(
            _words("sys.modules sys._getframe sys._current_frames sys.settrace sys.addaudithook threading.settrace"),
            _words("gc.get_objects gc.get_referrers gc.get_referents"),
            _words("currentframe stack trace getouterframes getinnerframes", "inspect."),
            _words("traceback.walk_stack"),
        ),
    ),
)
RUNS_TEXT = frozenset({"eval", "exec", "compile", "__import__", "__builtins__"})  # names that are there without import
FRAMES = _words("f_back f_locals f_globals f_builtins tb_frame gi_frame cr_frame ag_frame")  # attributes of frames

# ---- in one exercise -------------------------------------------------------------------------------------

PRODUCTS = frozenset().union(
    _words("@ operator.matmul operator.imatmul .matmul .dot .__matmul__ .__rmatmul__ .__imatmul__"),
    _words("dot matmul inner vdot vecdot matvec vecmat tensordot einsum einsum_path cross kron outer linalg", "numpy."),
    _words("tt.acceleration.matmul_tiled tt.tensor.Tensor.matmul tt.quantization.integer_matmul"),
)
SLIDING = frozenset().union(
    _words("convolve correlate lib.stride_tricks fft", "numpy."),
    _words("tt.spatial.windows tt.spatial.conv2d tt.spatial.Conv2d"),
)
QUANTILES = frozenset().union(
    _words("percentile quantile nanpercentile nanquantile median nanmedian", "numpy."),
    _words("statistics.quantiles statistics.median statistics.median_low statistics.median_high"),
)
TIMERS = _words("timeit.timeit timeit.repeat timeit.Timer")

DELEGATION = (
    Delegation(
        exercises=("acceleration.matmul_loops",),
        uses=PRODUCTS,
        says="asks for loops over single numbers and no product of NumPy's",
    ),
    Delegation(
        exercises=("acceleration.matmul_tiled",),
        uses=frozenset({UNLOOPED}),
        says="asks for loops over tiles, and here the whole matrices are multiplied at once",
    ),
    Delegation(
        exercises=("spatial.conv2d_loops",),
        uses=PRODUCTS | SLIDING,
        says="asks for loops, and is what the fast convolution is measured by",
    ),
    Delegation(
        exercises=("tensor.broadcast_shapes",),
        uses=_words("broadcast broadcast_shapes broadcast_arrays broadcast_to nditer lib.stride_tricks", "numpy."),
        says="asks for the rule of broadcasting without NumPy",
    ),
    Delegation(
        exercises=("tensor.Tensor.is_contiguous",),
        uses=_words(".flags numpy.ascontiguousarray numpy.require"),
        says="asks for a walk over sizes and strides",
    ),
    Delegation(
        exercises=("tensor.Tensor.mean",),
        uses=_words("numpy.mean numpy.average numpy.nanmean .data.mean"),
        says="asks for `sum` and `/`, not for NumPy's mean",
    ),
    Delegation(
        exercises=("tensor.Tensor.var",),
        uses=_words("numpy.var numpy.std numpy.nanvar numpy.nanstd .data.var .data.std"),
        says="asks for operations of tensors, not for NumPy's variance",
    ),
    Delegation(
        exercises=("autograd.topological_order",),
        uses=_words("graphlib networkx"),
        says="asks for the order to be found",
    ),
    Delegation(
        exercises=("autograd.numerical_gradient",),
        uses=_words(".backward tt.autograd.backward"),
        says="asks for slopes that are measured, so that `backward` can be compared with them",
    ),
    Delegation(
        exercises=("transformers.gpt_parameter_count",),
        uses=_words(".parameters .named_parameters tt.transformers.GPT tt.profiling.count_parameters"),
        says="asks for arithmetic, without making a model",
    ),
    Delegation(
        exercises=("profiling.percentile",),
        uses=QUANTILES,
        says="asks for the percentile to be worked out",
    ),
    Delegation(
        exercises=("profiling.measure_latency", "benchmarking.Benchmark.sample", "benchmarking.Benchmark.prepare"),
        uses=TIMERS,
        says="asks for the measurement itself",
    ),
    Delegation(
        exercises=("benchmarking.geometric_mean",),
        uses=_words("statistics.geometric_mean"),
        says="asks for the formula",
    ),
    Delegation(
        exercises=("benchmarking.Measurement.std",),
        uses=_words("statistics.stdev statistics.pstdev statistics.variance statistics.pvariance"),
        says="asks for the formula",
    ),
    Delegation(
        exercises=("compression.low_rank_error",),
        uses=_words("tt.compression.low_rank_factors tt.compression.low_rank tt.compression.LowRankLinear"),
        says="asks for the error without making the matrix",
    ),
    Delegation(
        exercises=(
            "memoization.memoize",
            "memoization.Memo.__call__",
            "memoization.LRUCache.get",
            "memoization.LRUCache.put",
        ),
        uses=_words("functools.lru_cache functools.cache functools.cached_property"),
        says="asks for the cache that `functools` has ready",
    ),
    Delegation(
        exercises=("memoization.generate_cached",),
        uses=_words(".generate tt.transformers.GPT.generate"),
        says="asks for the cached loop, not for `generate` without a cache",
    ),
    Delegation(
        exercises=("acceleration.fused_gelu",),
        uses=_words("tt.acceleration.composed_gelu"),
        says="asks for one operation, not for what it is compared with",
    ),
    Delegation(
        exercises=("acceleration.fused_softmax",),
        uses=_words("tt.acceleration.composed_softmax"),
        says="asks for one operation, not for what it is compared with",
    ),
    Delegation(
        exercises=("acceleration.fused_cross_entropy",),
        uses=_words("tt.acceleration.composed_cross_entropy"),
        says="asks for one operation, not for what it is compared with",
    ),
    Delegation(
        exercises=("acceleration.fused_layer_norm",),
        uses=_words("tt.acceleration.composed_layer_norm"),
        says="asks for one operation, not for what it is compared with",
    ),
)
