"""The course as data: modules, checkpoints, milestones, tracks.

Everything that lists the course (copier's choices, tables, diagrams, reports) derives from this file or is
tested against it. A module's number is its position in `MODULES`; prerequisites are references to objects, so
that a misspelt one cannot be written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Module:
    """One module of the course, and the checkpoint that verifies it.

    `exports` are the names that `import tinytorch` offers flat; `exercises` are the functions that the student
    writes, as they are found in the file (`softmax`, `Tensor.sum`). `checks` is the dotted name of the file of
    checks; a module without one is not built yet. `hints` is the dotted name of its hint ladders (None: the course's
    own place for them). `points` is what its checks are worth together.
    """

    number: int
    name: str
    capability: str
    builds: str
    insight: str
    stars: int
    hours: tuple[float, float]
    tier: str
    act: str
    level: int
    needs: tuple[Module, ...] = ()
    exports: tuple[str, ...] = ()
    exercises: tuple[str, ...] = ()
    checks: str | None = None
    hints: str | None = None
    points: int = 0

    @property
    def built(self) -> bool:
        """Whether this version of the course has the module."""
        return self.checks is not None

    @property
    def file(self) -> str:
        """The module's file in the student's package: `activations.py`."""
        return f"{self.name}.py"

    @property
    def lesson(self) -> str:
        """The module's lesson in the student's repository: `lessons/02-activations.md`."""
        return f"lessons/{self.label.replace(' ', '-')}.md"

    @property
    def label(self) -> str:
        """How reports name the module: `02 activations`."""
        return f"{self.number:02} {self.name}"

    @property
    def foundations(self) -> tuple[Module, ...]:
        """Every module that this one rests on, directly or not, in course order."""
        return closure(self.needs)

    @property
    def nearest(self) -> tuple[Module, ...]:
        """What it needs, without what another of its needs rests on already."""
        return tuple(below for below in self.needs if not any(below in other.foundations for other in self.needs))


def closure(modules: Iterable[Module]) -> tuple[Module, ...]:
    """The modules and everything that they rest on, each once, in course order."""
    found: dict[int, Module] = {}
    for module in modules:
        found |= {below.number: below for below in (*module.foundations, module)}
    return tuple(found[number] for number in sorted(found))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Milestone:
    """A piece of history that the student's own code repeats.

    `script` is the file in `milestones/` (None: not built yet). `claim` and `full_claim` say what must be
    reached on the shipped data and on the real benchmark (None: there is no full stage). `also` are modules that
    its script uses beside those that `after` rests on. `reads_digits` says that it classifies a picture of the
    student's own, given by `--digit`.
    """

    number: int
    year: int
    name: str
    after: Module
    history: str
    claim: str
    also: tuple[Module, ...] = ()
    full_claim: str | None = None
    script: str | None = None
    reads_digits: bool = False

    @property
    def built(self) -> bool:
        """Whether this version of the course has the milestone."""
        return self.script is not None

    @property
    def needs(self) -> tuple[Module, ...]:
        """Every module that the milestone runs on, in course order."""
        return closure((*self.also, self.after))

    @property
    def label(self) -> str:
        """How reports name the milestone: `1957 Perceptron`."""
        return f"{self.year} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """A path through the course: the modules that count, and the milestones that they lead to."""

    name: str
    modules: tuple[Module, ...]
    milestones: tuple[Milestone, ...]
    effort: str
    provided: tuple[Module, ...] = ()


FOUNDATION, ARCHITECTURE, OPTIMIZATION = "Foundation", "Architecture", "Optimization"
TIERS = (FOUNDATION, ARCHITECTURE, OPTIMIZATION)

ACT_1 = "I Foundation"
ACT_2 = "II Learning"
ACT_3 = "III Data and scale"
ACT_4 = "IV Language"
ACT_5 = "V Production"
ACT_6 = "VI Integration"
ACTS = {
    ACT_1: "atomic components",
    ACT_2: "the gradient revolution",
    ACT_3: "from toy data to real data",
    ACT_4: "text, attention, generation",
    ACT_5: "small, fast, measured",
    ACT_6: "one system",
}
LEVELS = {
    1: "create tensors → build layers → backpropagate",
    2: "train on data → 95 % on MNIST",
    3: "CNNs → transformers → 75 % on CIFAR-10",
    4: "profile and optimise → compress 4×, speed up 10× → deploy",
}

ENVIRONMENT = Module(
    number=0,
    name="environment",
    capability="I can set up a working environment",
    builds="a Python environment with NumPy, pytest and git, and the course's package in the right place",
    insight="which interpreter, which NumPy, which file was imported",
    stars=1,
    hours=(0.25, 0.5),
    tier=FOUNDATION,
    act=ACT_1,
    level=1,
    checks="pytest_tinytorch.checkpoints.checkpoint_00_environment",
    points=6,
)
TENSOR = Module(
    number=1,
    name="tensor",
    capability="I can create and manipulate tensors",
    builds="`Tensor`: broadcasting arithmetic, matmul, shapes, indexing, reductions, element-wise maths, factories",
    insight="memory layout: bytes, strides, contiguous, view or copy",
    stars=2,
    hours=(2, 3),
    tier=FOUNDATION,
    act=ACT_1,
    level=1,
    exports=(
        "Tensor",
        "tensor",
        "zeros",
        "ones",
        "full",
        "eye",
        "arange",
        "rand",
        "randn",
        "zeros_like",
        "ones_like",
        "from_numpy",
        "manual_seed",
        "cat",
        "stack",
        "where",
        "maximum",
        "tril",
        "triu",
        "broadcast_shapes",
        "float32",
        "float64",
        "int64",
        "bool_",
    ),
    exercises=(
        "as_array",
        "broadcast_shapes",
        "binary",
        "unary",
        "reflect",
        "Tensor.nbytes",
        "Tensor.stride",
        "Tensor.is_contiguous",
        "Tensor.clone",
        "Tensor.contiguous",
        "Tensor.detach",
        "Tensor.__truediv__",
        "Tensor.matmul",
        "Tensor.clamp",
        "Tensor.reshape",
        "Tensor.view",
        "Tensor.permute",
        "Tensor.transpose",
        "Tensor.unsqueeze",
        "Tensor.expand",
        "Tensor.__getitem__",
        "Tensor.__setitem__",
        "Tensor.sum",
        "Tensor.mean",
        "Tensor.var",
        "Tensor.amax",
        "Tensor.max",
        "arange",
        "cat",
        "stack",
        "where",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_01_tensor",
    points=151,
)
ACTIVATIONS = Module(
    number=2,
    name="activations",
    capability="I can add nonlinearity",
    builds="ReLU, Sigmoid, Tanh, GELU, Softmax, log-softmax",
    insight="numerical stability; cost per element",
    stars=2,
    hours=(1.5, 2),
    tier=FOUNDATION,
    act=ACT_1,
    level=1,
    needs=(TENSOR,),
    exports=(
        "relu",
        "leaky_relu",
        "sigmoid",
        "tanh",
        "gelu",
        "softmax",
        "log_softmax",
        "ReLU",
        "LeakyReLU",
        "Sigmoid",
        "Tanh",
        "GELU",
        "Softmax",
        "LogSoftmax",
    ),
    exercises=("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "softmax", "log_softmax"),
    checks="pytest_tinytorch.checkpoints.checkpoint_02_activations",
    points=48,
)
LAYERS = Module(
    number=3,
    name="layers",
    capability="I can compose network layers",
    builds="`Parameter`, `Module`, `Linear`, `Dropout`, `LayerNorm`, `Sequential`, initialisation",
    insight="parameters and bytes per layer",
    stars=3,
    hours=(2, 3),
    tier=FOUNDATION,
    act=ACT_1,
    level=1,
    needs=(TENSOR, ACTIVATIONS),
    exports=(
        "Parameter",
        "Module",
        "Linear",
        "Sequential",
        "Identity",
        "Dropout",
        "LayerNorm",
        "xavier_uniform_",
        "xavier_normal_",
        "kaiming_uniform_",
        "kaiming_normal_",
        "uniform_",
        "normal_",
        "fans",
        "calculate_gain",
    ),
    exercises=(
        "Parameter.__init__",
        "Module.__setattr__",
        "Module.named_modules",
        "Module.named_tensors",
        "Linear.__init__",
        "Linear.forward",
        "Sequential.append",
        "Sequential.forward",
        "Module.state_dict",
        "Module.load_state_dict",
        "xavier_uniform_",
        "xavier_normal_",
        "kaiming_uniform_",
        "kaiming_normal_",
        "Module.train",
        "Dropout.forward",
        "LayerNorm.forward",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_03_layers",
    points=81,
)
LOSSES = Module(
    number=4,
    name="losses",
    capability="I can measure how wrong a model is",
    builds="`MSELoss`, `CrossEntropyLoss`, `BCEWithLogitsLoss`/`BCELoss`, `ContrastiveLoss`, `reduction=`",
    insight="log-sum-exp; loss landscapes",
    stars=3,
    hours=(2, 3),
    tier=FOUNDATION,
    act=ACT_1,
    level=1,
    needs=(TENSOR, ACTIVATIONS, LAYERS),
    exports=("MSELoss", "CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss", "ContrastiveLoss"),
    exercises=(
        "Loss.reduce",
        "MSELoss.forward",
        "NLLLoss.forward",
        "CrossEntropyLoss.forward",
        "BCELoss.forward",
        "BCEWithLogitsLoss.forward",
        "ContrastiveLoss.forward",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_04_losses",
    points=48,
)
AUTOGRAD = Module(
    number=5,
    name="autograd",
    capability="I can compute gradients of anything automatically",
    builds="`Function` nodes, the backward rule of every operation, graph walk, `no_grad`, `gradcheck`",
    insight="graph memory grows with depth; why checkpointing trades compute for it",
    stars=4,
    hours=(3, 4),
    tier=FOUNDATION,
    act=ACT_2,
    level=1,
    needs=(TENSOR, ACTIVATIONS, LAYERS, LOSSES),
    exports=(
        "backward_rule",
        "unbroadcast",
        "no_grad",
        "enable_grad",
        "numerical_gradient",
        "gradcheck",
        "graph",
    ),
    exercises=(
        "add_backward",
        "mul_backward",
        "div_backward",
        "topological_order",
        "backward",
        "accumulate",
        "unbroadcast",
        "sqrt_backward",
        "tanh_backward",
        "sigmoid_backward",
        "relu_backward",
        "clamp_backward",
        "pow_backward",
        "maximum_backward",
        "where_backward",
        "matmul_backward",
        "permute_backward",
        "getitem_backward",
        "cat_backward",
        "sum_backward",
        "amax_backward",
        "softmax_backward",
        "log_softmax_backward",
        "cross_entropy_backward",
        "binary_cross_entropy_with_logits_backward",
        "layer_norm_backward",
        "no_grad.__enter__",
        "no_grad.__exit__",
        "numerical_gradient",
        "gradcheck",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_05_autograd",
    points=106,
)
OPTIMIZERS = Module(
    number=6,
    name="optimizers",
    capability="I can optimise parameters",
    builds="SGD, momentum (and Nesterov), RMSprop, Adam, AdamW, state_dict",
    insight="Adam holds 3× the parameter memory",
    stars=4,
    hours=(3, 4),
    tier=FOUNDATION,
    act=ACT_2,
    level=2,
    needs=(LAYERS, AUTOGRAD),
    exports=("Optimizer", "SGD", "RMSprop", "Adam", "AdamW"),
    exercises=(
        "Optimizer.add_param_group",
        "Optimizer.zero_grad",
        "Optimizer.step",
        "SGD.update",
        "Optimizer.gradient",
        "SGD.velocity",
        "moving_average",
        "RMSprop.update",
        "Adam.update",
        "AdamW.update",
        "Optimizer.state_dict",
        "Optimizer.load_state_dict",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_06_optimizers",
    points=76,
)
TRAINING = Module(
    number=7,
    name="training",
    capability="I can train a model end to end",
    builds="`Trainer`, schedules, gradient clipping, checkpoint save and resume, metrics",
    insight="where a step's time goes",
    stars=4,
    hours=(4, 5),
    tier=FOUNDATION,
    act=ACT_2,
    level=2,
    needs=(LOSSES, AUTOGRAD, OPTIMIZERS),
    exports=(
        "Trainer",
        "accuracy",
        "clip_grad_norm_",
        "StepLR",
        "CosineAnnealingLR",
        "LinearWarmup",
        "EarlyStopping",
        "save_checkpoint",
        "load_checkpoint",
    ),
    exercises=(
        "accuracy",
        "Averages.add",
        "total_norm",
        "clip_grad_norm_",
        "Scheduler.set_epoch",
        "StepLR.lr_at",
        "CosineAnnealingLR.lr_at",
        "LinearWarmup.lr_at",
        "write_atomically",
        "EarlyStopping.update",
        "evaluating",
        "Trainer.measure",
        "Trainer.train_step",
        "Trainer.train_epoch",
        "Trainer.evaluate",
        "Trainer.run_epoch",
        "Trainer.parts",
        "Trainer.fit",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_07_training",
    points=72,
)
DATALOADER = Module(
    number=8,
    name="dataloader",
    capability="I can feed data of any size",
    builds="`Dataset`, `TensorDataset`, `DataLoader`, splits, transforms, streaming from disk larger than memory",
    insight="I/O against compute",
    stars=3,
    hours=(3, 4),
    tier=ARCHITECTURE,
    act=ACT_3,
    level=2,
    needs=(TENSOR,),
    exports=(
        "Dataset",
        "IterableDataset",
        "TensorDataset",
        "Subset",
        "random_split",
        "MemmapDataset",
        "default_collate",
        "DataLoader",
        "Compose",
        "RandomHorizontalFlip",
        "RandomCrop",
        "Normalize",
    ),
    exercises=(
        "TensorDataset.__init__",
        "TensorDataset.__getitem__",
        "TensorDataset.__getitems__",
        "Subset.__getitem__",
        "fetch",
        "split_lengths",
        "random_split",
        "open_array",
        "MemmapDataset.__getitem__",
        "MemmapDataset.__getitems__",
        "stack_items",
        "default_collate",
        "DataLoader.__len__",
        "DataLoader.order",
        "DataLoader.index_batches",
        "DataLoader.item_batches",
        "DataLoader.__iter__",
        "prefetched",
        "RandomHorizontalFlip.__call__",
        "RandomCrop.__call__",
        "Normalize.__call__",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_08_dataloader",
    points=80,
)
SPATIAL = Module(
    number=9,
    name="spatial",
    capability="I can process images",
    builds="Conv2d first as six loops, then vectorised, MaxPool2d, AvgPool2d, BatchNorm2d, Flatten",
    insight="weight sharing: ~100× fewer parameters; loops against GEMM",
    stars=5,
    hours=(5, 6),
    tier=ARCHITECTURE,
    act=ACT_3,
    level=3,
    needs=(TENSOR, ACTIVATIONS, LAYERS, AUTOGRAD),
    exports=(
        "AvgPool2d",
        "BatchNorm2d",
        "Conv2d",
        "Flatten",
        "MaxPool2d",
        "avg_pool2d",
        "conv2d",
        "conv2d_loops",
        "max_pool2d",
    ),
    exercises=(
        "output_size",
        "conv2d_loops",
        "windows",
        "conv2d",
        "conv2d_to_weight",
        "conv2d_to_x",
        "max_pool2d",
        "max_pool2d_backward",
        "avg_pool2d",
        "avg_pool2d_backward",
        "batch_statistics",
        "batch_norm",
        "batch_norm_backward",
        "BatchNorm2d.forward",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_09_spatial",
    points=90,
)
TOKENIZATION = Module(
    number=10,
    name="tokenization",
    capability="I can turn text into tokens and back",
    builds="vocabulary, character tokenizer, byte-pair encoding (train, encode, decode, save, load)",
    insight="vocabulary size against sequence length",
    stars=4,
    hours=(4, 5),
    tier=ARCHITECTURE,
    act=ACT_4,
    level=3,
    needs=(TENSOR,),
    exports=("Vocabulary", "CharTokenizer", "BPETokenizer"),
    exercises=(
        "Vocabulary.assign",
        "Vocabulary.train",
        "Vocabulary.encode",
        "Vocabulary.decode",
        "CharTokenizer.encode",
        "CharTokenizer.decode",
        "count_pairs",
        "best_pair",
        "merge",
        "Corpus.merge",
        "BPETokenizer.train",
        "BPETokenizer.encode_chunk",
        "BPETokenizer.decode",
        "BPETokenizer.state",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_10_tokenization",
    points=86,
)
EMBEDDINGS = Module(
    number=11,
    name="embeddings",
    capability="I can give tokens meaning and position",
    builds="`Embedding`, sinusoidal and learned positional encoding",
    insight="embedding tables dominate small language models",
    stars=4,
    hours=(3, 4),
    tier=ARCHITECTURE,
    act=ACT_4,
    level=3,
    needs=(LAYERS, AUTOGRAD, TOKENIZATION),
    exports=(
        "Embedding",
        "LearnedPositionalEncoding",
        "PositionalEncoding",
        "cosine_similarity",
        "embedding",
        "one_hot",
        "sinusoidal_encoding",
    ),
    exercises=(
        "check_ids",
        "one_hot",
        "embedding",
        "sum_rows",
        "embedding_backward",
        "Embedding.__init__",
        "Embedding.forward",
        "angles",
        "sinusoidal_encoding",
        "add_positions",
        "PositionalEncoding.__init__",
        "LearnedPositionalEncoding.__init__",
        "cosine_similarity",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_11_embeddings",
    points=72,
)
ATTENTION = Module(
    number=12,
    name="attention",
    capability="I can let every token attend to every other",
    builds="scaled dot-product attention, masks, `MultiHeadAttention`",
    insight="O(n²) time and memory, measured",
    stars=5,
    hours=(4, 5),
    tier=ARCHITECTURE,
    act=ACT_4,
    level=3,
    needs=(TENSOR, LAYERS, AUTOGRAD, EMBEDDINGS),
    exports=(
        "MultiHeadAttention",
        "attention_scores",
        "attention_weights",
        "causal_mask",
        "join_heads",
        "mask_scores",
        "masked_softmax",
        "padding_mask",
        "scaled_dot_product_attention",
        "split_heads",
    ),
    exercises=(
        "causal_mask",
        "padding_mask",
        "attention_scores",
        "mask_scores",
        "masked_softmax",
        "attention_weights",
        "scaled_dot_product_attention",
        "split_heads",
        "join_heads",
        "MultiHeadAttention.__init__",
        "MultiHeadAttention.forward",
        "MultiHeadAttention.attention_map",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_12_attention",
    points=72,
)
TRANSFORMERS = Module(
    number=13,
    name="transformers",
    capability="I can build a GPT",
    builds="feed-forward, pre-norm block with residuals, encoder and decoder blocks, `GPT` with `generate`",
    insight="parameters and activations per layer",
    stars=5,
    hours=(6, 8),
    tier=ARCHITECTURE,
    act=ACT_4,
    level=3,
    needs=(ACTIVATIONS, EMBEDDINGS, ATTENTION),
    exports=(
        "GPT",
        "DecoderBlock",
        "EncoderBlock",
        "FeedForward",
        "gpt_parameter_count",
        "keep_top_k",
        "sample",
    ),
    exercises=(
        "FeedForward.__init__",
        "FeedForward.forward",
        "EncoderBlock.forward",
        "DecoderBlock.forward",
        "GPT.__init__",
        "GPT.init_weights",
        "GPT.forward",
        "gpt_parameter_count",
        "keep_top_k",
        "sample",
        "GPT.generate",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_13_transformers",
    points=82,
)
PROFILING = Module(
    number=14,
    name="profiling",
    capability="I can find the bottleneck",
    builds="`Profiler`: parameters, FLOPs, memory, latency percentiles, per-layer table, bottleneck report",
    insight="the bottleneck is rarely where one thinks",
    stars=4,
    hours=(3, 4),
    tier=OPTIMIZATION,
    act=ACT_5,
    level=4,
    needs=(TENSOR, LAYERS),
    exports=(
        "Profiler",
        "profile",
        "count_parameters",
        "count_flops",
        "measure_memory",
        "measure_latency",
        "weight_bytes",
        "flop_rule",
        "Latency",
        "Memory",
        "percentile",
    ),
    exercises=(
        "percentile",
        "measure_latency",
        "profile",
        "measure_memory",
        "count_parameters",
        "weight_bytes",
        "linear_flops",
        "conv2d_flops",
        "layer_norm_flops",
        "attention_flops",
        "watched",
        "Stopwatch.__call__",
        "Profiler.bottleneck",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_14_profiling",
    points=83,
)
QUANTIZATION = Module(
    number=15,
    name="quantization",
    capability="I can shrink a model to 8 bits",
    builds="INT8 affine quantisation, calibration, `QuantizedLinear`, whole-model quantisation",
    insight="4× smaller; where speed does and does not follow",
    stars=5,
    hours=(5, 6),
    tier=OPTIMIZATION,
    act=ACT_5,
    level=4,
    needs=(AUTOGRAD, PROFILING),
    exports=(
        "MinMaxObserver",
        "QuantizedLinear",
        "QuantizedTensor",
        "integer_matmul",
        "left_alone",
        "model_bytes",
        "quantize",
        "quantize_model",
    ),
    exercises=(
        "value_range",
        "choose_grid",
        "to_int8",
        "QuantizedTensor.dequantize",
        "quantize",
        "MinMaxObserver.observe",
        "integer_matmul",
        "QuantizedLinear.from_linear",
        "QuantizedLinear.forward",
        "replace_layers",
        "quantize_model",
        "left_alone",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_15_quantization",
    points=96,
)
COMPRESSION = Module(
    number=16,
    name="compression",
    capability="I can compress a network",
    builds="magnitude and structured pruning, low-rank factorisation, knowledge distillation",
    insight="structured pruning speeds up, unstructured does not without sparse kernels; 10× smaller with little loss",
    stars=5,
    hours=(4, 5),
    tier=OPTIMIZATION,
    act=ACT_5,
    level=4,
    needs=(OPTIMIZERS, PROFILING),
    exports=(
        "Compressed",
        "LowRankLinear",
        "Masks",
        "compress",
        "distill_step",
        "distillation_loss",
        "low_rank",
        "low_rank_error",
        "low_rank_factors",
        "magnitude_mask",
        "magnitude_prune",
        "remove_units",
        "sparse_bytes",
        "sparsity",
        "stored_bytes",
        "structured_prune",
        "unit_scores",
    ),
    exercises=(
        "sparsity",
        "count_share",
        "magnitude_mask",
        "Masks.apply",
        "magnitude_prune",
        "unit_scores",
        "remove_units",
        "structured_prune",
        "low_rank_factors",
        "low_rank_error",
        "LowRankLinear.from_linear",
        "distillation_loss",
        "compress",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_16_compression",
    points=83,
)
MEMOIZATION = Module(
    number=17,
    name="memoization",
    capability="I can never compute the same thing twice",
    builds="memoisation decorator with eviction and invalidation, `KVCache`, cached generation",
    insight="O(n²) → O(n) per generated sequence",
    stars=4,
    hours=(3, 4),
    tier=OPTIMIZATION,
    act=ACT_5,
    level=4,
    needs=(ATTENTION, TRANSFORMERS, PROFILING),
    exports=("KVCache", "LRUCache", "generate_cached", "kv_cache_bytes", "memoize"),
    exercises=(
        "freeze",
        "private",
        "LRUCache.get",
        "LRUCache.put",
        "Memo.__call__",
        "Memo.invalidate",
        "memoize",
        "kv_cache_bytes",
        "KVCache.append",
        "offset_causal_mask",
        "cached_attention",
        "cached_logits",
        "generate_cached",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_17_memoization",
    points=89,
)
ACCELERATION = Module(
    number=18,
    name="acceleration",
    capability="I can make it fast",
    builds="vectorised and fused kernels, tiled matmul, parallel batches",
    insight="10–100× over loops, measured",
    stars=4,
    hours=(3, 4),
    tier=OPTIMIZATION,
    act=ACT_5,
    level=4,
    needs=(QUANTIZATION, COMPRESSION, MEMOIZATION),
    exports=(
        "DataParallel",
        "fused_cross_entropy",
        "fused_gelu",
        "fused_layer_norm",
        "fused_softmax",
        "matmul_loops",
        "matmul_tiled",
        "one_blas_thread",
        "parallel_map",
        "seconds",
    ),
    exercises=(
        "tiles",
        "matmul_loops",
        "matmul_tiled",
        "fused_gelu",
        "fused_gelu_backward",
        "fused_softmax",
        "fused_softmax_backward",
        "fused_cross_entropy",
        "fused_layer_norm",
        "fused_layer_norm_backward",
        "parallel_map",
        "follow",
        "DataParallel.backward",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_18_acceleration",
    points=84,
)
BENCHMARKING = Module(
    number=19,
    name="benchmarking",
    capability="I can prove it with statistics",
    builds="benchmark harness: warm-up, repetition, confidence intervals, significance, report, Pareto plot",
    insight="measurement is a science",
    stars=4,
    hours=(3, 4),
    tier=OPTIMIZATION,
    act=ACT_5,
    level=4,
    needs=(ACCELERATION,),
    exports=(
        "Benchmark",
        "Measurement",
        "interleave",
        "rank_test",
        "bootstrap_speedup",
        "compare",
        "Comparison",
        "geometric_mean",
        "pareto_front",
        "plot_row",
        "report",
        "scatter",
    ),
    exercises=(
        "Measurement.std",
        "Measurement.confidence_interval",
        "Benchmark.sample",
        "Benchmark.prepare",
        "Benchmark.run",
        "interleave",
        "rank_test",
        "bootstrap_speedup",
        "compare",
        "geometric_mean",
        "pareto_front",
        "plot_row",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_19_benchmarking",
    points=60,
)
_BEFORE_CAPSTONE = (
    TENSOR, ACTIVATIONS, LAYERS, LOSSES, AUTOGRAD, OPTIMIZERS, TRAINING, DATALOADER, SPATIAL, TOKENIZATION,
    EMBEDDINGS, ATTENTION, TRANSFORMERS, PROFILING, QUANTIZATION, COMPRESSION, MEMOIZATION, ACCELERATION,
    BENCHMARKING,
)  # fmt: skip
CAPSTONE = Module(
    number=20,
    name="capstone",
    capability="I can ship a complete system",
    builds="TinyGPT end to end: tokenise, train, compress, cache, benchmark, generate; a Torch Olympics entry",
    insight="emergent cost of integration",
    stars=5,
    hours=(4, 6),
    tier=OPTIMIZATION,
    act=ACT_6,
    level=4,
    needs=_BEFORE_CAPSTONE,
    exports=(
        "OlympicsEntry",
        "TinyGPT",
        "encode_pair",
        "interval_of",
        "pair_batch",
        "require_metrics",
        "require_ratio",
    ),
    exercises=(
        "encode_pair",
        "pair_batch",
        "TinyGPT.loss",
        "TinyGPT.train",
        "TinyGPT.generate",
        "TinyGPT.compress",
        "TinyGPT.benchmark",
        "TinyGPT.save",
        "TinyGPT.load",
        "interval_of",
        "require_ratio",
        "require_metrics",
        "OlympicsEntry.validate",
    ),
    checks="pytest_tinytorch.checkpoints.checkpoint_20_capstone",
    points=95,
)

CHECKPOINTS = (ENVIRONMENT, *_BEFORE_CAPSTONE, CAPSTONE)
MODULES = CHECKPOINTS[1:]

PERCEPTRON = Milestone(
    number=1,
    year=1957,
    name="Perceptron",
    after=LOSSES,
    history="Rosenblatt's first trainable network",
    claim="100 % on linearly separable points, AND and OR; XOR fails",
    script="1957_perceptron.py",
)
XOR = Milestone(
    number=2,
    year=1969,
    name="XOR",
    after=TRAINING,
    history="Minsky and Papert's crisis, and its solution",
    claim="one layer stays at or below 75 %, a hidden layer reaches 100 % from every seed tried",
    script="1969_xor.py",
)
MLP = Milestone(
    number=3,
    year=1986,
    name="MLP",
    after=DATALOADER,
    also=(TRAINING,),
    history="Rumelhart, Hinton and Williams make hidden layers learn",
    claim="at least 90 % on TinyDigits",
    full_claim="at least 95 % on MNIST; a digit that the student drew is classified",
    script="1986_mlp.py",
    reads_digits=True,
)
CNN = Milestone(
    number=4,
    year=1998,
    name="CNN",
    after=SPATIAL,
    also=(TRAINING, DATALOADER),
    history="LeCun's LeNet",
    claim="a small CNN beats 1986's MLP on TinyDigits",
    full_claim="at least 75 % on CIFAR-10",
    script="1998_cnn.py",
)
TRANSFORMER = Milestone(
    number=5,
    year=2017,
    name="Transformer",
    after=TRANSFORMERS,
    also=(TRAINING, DATALOADER),
    history="Vaswani and others: attention is all you need",
    claim="at least 95 % of unseen sequences reversed, at most 5 % without attention; a GPT answers 90 % of TinyTalks",
    full_claim="below 2 nats per character of Shakespeare that it has not seen",
    script="2017_transformer.py",
)
OLYMPICS = Milestone(
    number=6,
    year=2024,
    name="Torch Olympics",
    after=CAPSTONE,
    history="the systems age",
    claim="10× faster, 4× smaller, below 100 ms, accuracy within two points",
    full_claim="a TinyGPT of your own, 3× faster, 3× smaller, and small, fast and right at once",
    script="2024_olympics.py",
)
MILESTONES = (PERCEPTRON, XOR, MLP, CNN, TRANSFORMER, OLYMPICS)

TRACKS = {
    track.name: track
    for track in (
        Track(name="complete", modules=MODULES, milestones=MILESTONES, effort="60–80 h, 14–18 weeks"),
        Track(name="fast", modules=MODULES[:9], milestones=MILESTONES[:4], effort="40 h, 6–8 weeks"),
        Track(name="vision", modules=MODULES[:9], milestones=MILESTONES[:4], effort="8 weeks"),
        Track(
            name="language",
            modules=MODULES[:8] + MODULES[9:13],
            milestones=(PERCEPTRON, XOR, MLP, TRANSFORMER),
            effort="55 h, 10 weeks",
        ),
        Track(
            name="optimization",
            modules=MODULES[13:],
            milestones=(OLYMPICS,),
            effort="4–6 weeks",
            provided=MODULES[:13],
        ),
        Track(name="foundation", modules=MODULES[:7], milestones=(PERCEPTRON, XOR), effort="4 weeks"),
    )
}


def custom_track(modules: Iterable[Module], provided: Iterable[Module] = ()) -> Track:
    """A track of any modules whose prerequisites are in it or provided.

    Raises:
        ValueError: a prerequisite is neither in the track nor provided; the sentence names it.
    """
    chosen, given = tuple(modules), tuple(provided)
    for module in chosen:
        for below in module.foundations:
            if below not in chosen and below not in given:
                raise ValueError(f"module {module.label} needs {below.label}: add it, or provide it solved")
    present = {*chosen, *given}
    reached = tuple(m for m in MILESTONES if set(m.needs) <= present and m.after in chosen)
    return Track(name="custom", modules=chosen, milestones=reached, effort="–", provided=given)


def with_provided(track: Track, provided: Iterable[Module]) -> Track:
    """The same track with more modules provided solved, which then no longer count."""
    given = tuple(m for m in MODULES if m in {*track.provided, *provided})
    return Track(
        name=track.name,
        modules=tuple(m for m in track.modules if m not in given),
        milestones=track.milestones,
        effort=track.effort,
        provided=given,
    )
