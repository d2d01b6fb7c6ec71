"""What images and language cost beside PyTorch: forward and backward on one thread, both in the same run.

    python benchmarks/networks.py                       # a table
    python benchmarks/networks.py --only GPT            # the rows whose name holds this
    python benchmarks/networks.py --json                # the same as JSON
    python benchmarks/networks.py --package tinytorch   # another package than the solutions
    python benchmarks/networks.py --quick               # tiny sizes, few rounds: does it run at all?

Layers: forward, and backward from a random gradient. Steps: forward, loss, backward, optimiser, of a small GPT and of
the network that milestone 1998 trains on CIFAR-10; all batches of an epoch cost the same, so the ratio of a step is the
ratio of an epoch. Both sides have equal parameters and must agree before anything is timed; they take turns as in
`forward.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from forward import Case, compare

# isort: split
import numpy as np  # after forward, which sets the number of threads


def cases(tt: ModuleType, torch: ModuleType, quick: bool) -> Iterator[Case]:
    """Every layer and step, ready to be called on both sides; tiny sizes for a quick run."""
    convolutions = ((2, 3, 4, 6),) if quick else ((64, 3, 32, 32), (64, 32, 64, 16), (64, 64, 128, 8))
    for batch, channels, filters, size in convolutions:
        yield convolution(tt, torch, batch, channels, filters, size)
    yield first_look(tt, torch, 2 if quick else 128)
    shape = (2, 3, 4, 4) if quick else (64, 64, 16, 16)
    yield from on_images(tt, torch, shape)
    batch, length, width, heads = (2, 3, 8, 2) if quick else (8, 64, 128, 4)
    yield attention(tt, torch, batch, length, width, heads)
    for rows, columns in ((4, 8),) if quick else ((2048, 64), (512, 128), (512, 1024)):
        yield layer_norm(tt, torch, rows, columns)
    for vocabulary in (9,) if quick else (65, 1000, 50_000):
        yield embedding(tt, torch, vocabulary, (2, 3) if quick else (64, 64), 64)
    yield gpt(tt, torch, *((9, 8, 2, 1, 4, 2) if quick else (65, 64, 4, 2, 64, 32)))
    yield cifar(tt, torch, 4 if quick else 128, (4, 4, 4) if quick else (32, 64, 128))


# ---- layers: the same numbers in, the same gradient back ----


def both_ways(
    name: str, size: str, ours: tuple[Callable[[Any], Any], Any, Any], theirs: tuple[Callable[[Any], Any], Any, Any]
) -> Case:
    """A case from (layer, input, gradient of the output) on each side."""

    def call(layer: Callable[[Any], Any], x: Any, gradient: Any) -> Any:
        x.grad = None
        y = layer(x)
        y.backward(gradient)
        return y

    return Case(name, size, lambda: call(*ours), lambda: call(*theirs))


def numbers(*shapes: tuple[int, ...]) -> list[Any]:
    """Random float32 arrays, the same in every run."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]


def convolution(tt: ModuleType, torch: ModuleType, batch: int, channels: int, filters: int, size: int) -> Case:
    """Conv2d with a 3 x 3 kernel and padding; the first layer of a network needs no gradient for the images."""
    a, grad = numbers((batch, size, size, channels), (batch, size, size, filters))
    ours, theirs = tt.Conv2d(channels, filters, 3, padding=1), torch.nn.Conv2d(channels, filters, 3, padding=1)
    copy(ours, theirs, torch)
    inner = channels > 3
    sides = [images(nn, a, grad) for nn in (tt, torch)]
    for x, _ in sides:
        x.requires_grad = inner
    (x, g), (u, k) = sides
    return both_ways("Conv2d", f"{batch}, {channels} -> {filters}, {size} x {size}", (ours, x, g), (theirs, u, k))


def first_look(tt: ModuleType, torch: ModuleType, batch: int) -> Case:
    """32 filters of 5 x 5 over images of CIFAR-10, forward alone: what upstream publishes a time of."""
    (a,) = numbers((batch, 3, 32, 32))
    ours, theirs = tt.Conv2d(3, 32, 5, bias=False), torch.nn.Conv2d(3, 32, 5, bias=False)
    copy(ours, theirs, torch)
    x, u = tt.tensor(a), torch.tensor(a)
    return Case("Conv2d, forward", f"{batch}, 3 -> 32, 5 x 5, 32 x 32", lambda: ours(x), lambda: theirs(u))


def images(nn: ModuleType, *arrays: Any) -> list[Any]:
    """Images from arrays (N, H, W, C), as they lie within a network: ours with channels last, PyTorch's first."""
    if nn.__name__ == "torch":
        return [nn.tensor(array.transpose(0, 3, 1, 2).copy()) for array in arrays]
    return [nn.tensor(array).permute(0, 3, 1, 2) for array in arrays]


def on_images(tt: ModuleType, torch: ModuleType, shape: tuple[int, ...]) -> Iterator[Case]:
    """Pooling and normalisation."""
    n, c, h, w = shape
    sides = [images(nn, *numbers((n, h, w, c), (n, h, w, c), (n, h // 2, w // 2, c))) for nn in (tt, torch)]
    for x, _, _ in sides:
        x.requires_grad = True
    (x, g, half), (u, k, their_half) = sides
    yield both_ways("MaxPool2d", str(shape), (tt.MaxPool2d(2), x, half), (torch.nn.MaxPool2d(2), u, their_half))
    yield both_ways("BatchNorm2d", str(shape), (tt.BatchNorm2d(c), x, g), (torch.nn.BatchNorm2d(c), u, k))


def attention(tt: ModuleType, torch: ModuleType, batch: int, length: int, width: int, heads: int) -> Case:
    """Multi-head self-attention with a causal mask."""
    a, grad = numbers((batch, length, width), (batch, length, width))
    ours = tt.MultiHeadAttention(width, heads)
    theirs = torch.nn.MultiheadAttention(width, heads, batch_first=True)
    parts = [getattr(ours, name) for name in ("query", "key", "value")]
    theirs.in_proj_weight.data = torch.tensor(np.concatenate([part.weight.data.T for part in parts]))
    theirs.in_proj_bias.data = torch.tensor(np.concatenate([part.bias.data for part in parts]))
    theirs.out_proj.weight.data = torch.tensor(ours.out.weight.data.T.copy())
    theirs.out_proj.bias.data = torch.tensor(ours.out.bias.data)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(length)
    return both_ways(
        "attention",
        f"batch {batch}, {length} x {width}, {heads} heads",
        (lambda x: ours(x, is_causal=True), tt.tensor(a, requires_grad=True), tt.tensor(grad)),
        (
            lambda u: theirs(u, u, u, attn_mask=mask, is_causal=True, need_weights=False)[0],
            torch.tensor(a, requires_grad=True),
            torch.tensor(grad),
        ),
    )


def layer_norm(tt: ModuleType, torch: ModuleType, rows: int, columns: int) -> Case:
    """Layer normalisation with scale and shift."""
    a, grad = numbers((rows, columns), (rows, columns))
    return both_ways(
        "LayerNorm",
        f"({rows}, {columns})",
        (tt.LayerNorm(columns), tt.tensor(a, requires_grad=True), tt.tensor(grad)),
        (torch.nn.LayerNorm(columns), torch.tensor(a, requires_grad=True), torch.tensor(grad)),
    )


def embedding(tt: ModuleType, torch: ModuleType, vocabulary: int, shape: tuple[int, int], width: int) -> Case:
    """A look-up, and the gradient of its table."""
    ids = np.random.default_rng(0).integers(0, vocabulary, shape)
    table, grad = numbers((vocabulary, width), (*shape, width))
    x, u = tt.tensor(table, requires_grad=True), torch.tensor(table, requires_grad=True)
    i, j = tt.tensor(ids), torch.tensor(ids)
    return both_ways(
        "embedding",
        f"{shape} of {vocabulary} x {width}",
        (lambda x: tt.embedding(i, x), x, tt.tensor(grad)),
        (lambda u: torch.nn.functional.embedding(j, u), u, torch.tensor(grad)),
    )


def copy(ours: Any, theirs: Any, torch: ModuleType) -> None:
    """Give PyTorch's module our parameters; it keeps the weights of linear layers as (out, in)."""
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        q.data = torch.tensor(p.data.T.copy() if p.ndim == 2 and p.shape == tuple(q.shape[::-1]) else p.data.copy())


# ---- steps: a whole network, its loss and its optimiser ----


def step(name: str, size: str, ours: tuple[Any, Any, Any, Any, Any], theirs: tuple[Any, Any, Any, Any, Any]) -> Case:
    """A case from (network, loss, optimiser, inputs, targets) on each side; a call gives the loss before the step."""

    def call(network: Any, loss_fn: Any, optimizer: Any, x: Any, t: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_fn(network(x), t)
        loss.backward()
        optimizer.step()
        return loss

    return Case(name, size, lambda: call(*ours), lambda: call(*theirs))


def gpt(
    tt: ModuleType, torch: ModuleType, vocabulary: int, width: int, heads: int, layers: int, length: int, batch: int
) -> Case:
    """A step of a small GPT with AdamW; PyTorch's is written with its fused attention."""
    ids = np.random.default_rng(0).integers(0, vocabulary, (batch, length + 1))
    tt.manual_seed(0)
    ours = tt.GPT(vocabulary, width, heads, layers, length)
    kept = dict(ours.named_parameters())
    theirs = {name: torch.nn.Parameter(in_torch(torch, name, p.data)) for name, p in kept.items()}
    loss, their_loss = tt.CrossEntropyLoss(), torch.nn.CrossEntropyLoss()
    return step(
        "GPT, AdamW",
        f"{layers} layers of {width}, batch {batch} x {length}",
        (
            lambda x: ours(x).reshape(-1, vocabulary),
            loss,
            tt.AdamW(ours.parameters(), lr=1e-5),
            tt.tensor(ids[:, :-1]),
            tt.tensor(ids[:, 1:].reshape(-1)),
        ),
        (
            lambda u: their_gpt(torch, theirs, u, heads, layers).reshape(-1, vocabulary),
            their_loss,
            torch.optim.AdamW(theirs.values(), lr=1e-5),
            torch.tensor(ids[:, :-1].copy()),
            torch.tensor(ids[:, 1:].reshape(-1)),
        ),
    )


def in_torch(torch: ModuleType, name: str, array: Any) -> Any:
    """A parameter in PyTorch's layout: all matrices but the tables of embeddings are transposed."""
    is_table = name.startswith(("tokens", "positions"))
    return torch.tensor(array.copy() if array.ndim == 1 or is_table else array.T.copy())


def their_gpt(torch: ModuleType, p: dict[str, Any], ids: Any, heads: int, layers: int) -> Any:
    """The forward pass of a GPT from parameters by name."""
    functional = torch.nn.functional

    def norm(x: Any, name: str) -> Any:
        return functional.layer_norm(x, x.shape[-1:], p[f"{name}.weight"], p[f"{name}.bias"])

    def linear(x: Any, name: str) -> Any:
        return functional.linear(x, p[f"{name}.weight"], p.get(f"{name}.bias"))

    def split(x: Any) -> Any:
        return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)

    x = functional.embedding(ids, p["tokens.weight"]) + p["positions.weight"][: ids.shape[1]]
    for i in range(layers):
        y = norm(x, f"blocks.{i}.norm1")
        q, k, v = (split(linear(y, f"blocks.{i}.attention.{part}")) for part in ("query", "key", "value"))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + linear(y.transpose(1, 2).reshape(x.shape), f"blocks.{i}.attention.out")
        y = linear(norm(x, f"blocks.{i}.norm2"), f"blocks.{i}.feed_forward.up")
        x = x + linear(functional.gelu(y, approximate="tanh"), f"blocks.{i}.feed_forward.down")
    return linear(norm(x, "norm"), "head")


def cifar(tt: ModuleType, torch: ModuleType, batch: int, widths: tuple[int, ...]) -> Case:
    """A step of milestone 1998's network on images of CIFAR-10's size, with Nesterov's momentum."""
    (images,) = numbers((batch, 3, 32, 32))
    labels = np.random.default_rng(0).integers(0, 10, batch)
    tt.manual_seed(0)
    ours, theirs = network(tt, widths), network(torch.nn, widths)
    copy(ours, theirs, torch)
    options = {"lr": 1e-4, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
    return step(
        "CIFAR-10 step",
        f"{'-'.join(map(str, widths))}, batch {batch}",
        (ours, tt.CrossEntropyLoss(), tt.SGD(ours.parameters(), **options), tt.tensor(images), tt.tensor(labels)),
        (
            theirs,
            torch.nn.CrossEntropyLoss(),
            torch.optim.SGD(theirs.parameters(), **options),
            torch.tensor(images),
            torch.tensor(labels),
        ),
    )


def network(nn: Any, widths: tuple[int, ...]) -> Any:
    """Convolutions that are pooled, normalised and rectified; then a score for each class. Either framework's names."""
    layers, channels = [], 3
    for width in widths:
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    side = 32 // 2 ** len(widths)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side * side, 10))


if __name__ == "__main__":
    raise SystemExit(compare("Layers and networks beside PyTorch, forward and backward.", cases, rounds=15))
