"""Module 13's solutions: PyTorch's numbers, forward and backward, with copied weights; and what generation promises."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import CHECKPOINTS, TRANSFORMERS
from tests.prose.examples import solution

SIZES = [(65, 64, 4, 2, 64), (11, 12, 3, 1, 8), (7, 8, 1, 3, 5)]  # vocabulary, width, heads, layers, max_len


@pytest.fixture(scope="module")
def tt() -> Any:
    """The exports of the modules up to this one."""
    below = (module for module in CHECKPOINTS[1 : TRANSFORMERS.number + 1] if module.built)
    names = {name: getattr(solution(module), name) for module in below for name in module.exports}
    return SimpleNamespace(**names)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(13)


def shake(module: Any, rng: np.random.Generator) -> None:
    """Parameters that matter: no zeros, no ones."""
    for parameter in module.parameters():
        parameter.data = (parameter.data + rng.normal(0, 0.2, parameter.shape)).astype(np.float32)


# ---- the same layers in PyTorch, and the way between their parameters -------------------------------------------


def packed(attention: Any) -> dict[str, Any]:
    """The parameters of our attention, as torch.nn.MultiheadAttention names and packs them."""
    parts = (attention.query, attention.key, attention.value)
    return {
        "in_proj_weight": np.concatenate([part.weight.data.T for part in parts]),
        "in_proj_bias": np.concatenate([part.bias.data for part in parts]),
        "out_proj.weight": attention.out.weight.data.T,
        "out_proj.bias": attention.out.bias.data,
    }


def linear(layer: Any) -> dict[str, Any]:
    """The parameters of a Linear layer, as PyTorch keeps them."""
    return {"weight": layer.weight.data.T, "bias": layer.bias.data}


def norm(layer: Any) -> dict[str, Any]:
    """The parameters of a LayerNorm."""
    return {"weight": layer.weight.data, "bias": layer.bias.data}


def under(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """The same arrays under longer names."""
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def as_torch(block: Any, cross: bool = False) -> dict[str, Any]:
    """A block's parameters, as torch.nn.TransformerEncoderLayer or -DecoderLayer names them."""
    arrays = under("self_attn", packed(block.attention)) | under("norm1", norm(block.norm1))
    arrays |= under("linear1", linear(block.feed_forward.up)) | under("linear2", linear(block.feed_forward.down))
    if cross:
        arrays |= under("multihead_attn", packed(block.cross_attention)) | under("norm2", norm(block.norm_cross))
    return arrays | under("norm3" if cross else "norm2", norm(block.norm2))


def load(torch: Any, module: Any, arrays: dict[str, Any]) -> None:
    """Copy the arrays into a module of PyTorch: all of them, and nothing is left over."""
    module.load_state_dict({name: torch.tensor(np.ascontiguousarray(array)) for name, array in arrays.items()})


def their_layer(torch: Any, kind: str, d: int, heads: int) -> Any:
    """A layer of PyTorch with pre-norm and the tanh form of GELU."""

    def gelu(x: Any) -> Any:
        return torch.nn.functional.gelu(x, approximate="tanh")

    layer = getattr(torch.nn, kind)
    return layer(d, heads, 4 * d, dropout=0.0, activation=gelu, batch_first=True, norm_first=True)


def their_gpt(torch: Any, model: Any, heads: int) -> Any:
    """The same model written with torch.nn, with copied weights."""
    vocab, d = model.tokens.weight.shape

    class GPT(torch.nn.Module):  # type: ignore[misc]  # torch comes as a fixture
        def __init__(self) -> None:
            super().__init__()
            self.tokens = torch.nn.Embedding(vocab, d)
            self.positions = torch.nn.Embedding(model.max_len, d)
            self.blocks = torch.nn.ModuleList(
                [their_layer(torch, "TransformerEncoderLayer", d, heads) for _ in range(len(model.blocks))]
            )
            self.norm = torch.nn.LayerNorm(d)
            self.head = torch.nn.Linear(d, vocab, bias=False)

        def forward(self, ids: Any) -> Any:
            x = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
            mask = torch.nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
            for block in self.blocks:
                x = block(x, src_mask=mask, is_causal=True)
            return self.head(self.norm(x))

    theirs = GPT()
    load(torch, theirs, gpt_as_torch(model))
    return theirs


def gpt_as_torch(model: Any) -> dict[str, Any]:
    """A GPT's parameters by the names of `their_gpt`."""
    arrays = {"tokens.weight": model.tokens.weight.data, "positions.weight": model.positions.weight.data}
    for i, block in enumerate(model.blocks):
        arrays |= under(f"blocks.{i}", as_torch(block))
    return arrays | under("norm", norm(model.norm)) | {"head.weight": model.head.weight.data.T}


def gradients(module: Any) -> Any:
    """Put each parameter's gradient in its place, so that the ways above carry gradients."""
    for parameter in module.parameters():
        parameter.data = parameter.grad.data
    return module


def agree(ours: Any, theirs: Any, what: str = "") -> None:
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=2e-4, atol=2e-5, err_msg=what)


def parameters_agree(arrays: dict[str, Any], theirs: Any) -> None:
    """Our gradients, by PyTorch's names, against PyTorch's."""
    for name, parameter in theirs.named_parameters():
        scale = float(parameter.grad.abs().max()) + 1e-6
        np.testing.assert_allclose(arrays[name] / scale, parameter.grad.numpy() / scale, atol=2e-4, err_msg=name)


# ---- PyTorch's numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("d", "heads"), [(12, 3), (16, 4), (6, 1)])
def test_encoder_block(tt: Any, torch: Any, rng: Any, d: int, heads: int, masked: bool) -> None:
    block, theirs = tt.EncoderBlock(d, heads), their_layer(torch, "TransformerEncoderLayer", d, heads)
    shake(block, rng)
    load(torch, theirs, as_torch(block))
    a, grad = rng.normal(0, 1, (2, 3, 7, d)).astype(np.float32)
    x, y = tt.tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    mask = rng.random((7, 7)) < 0.5 if masked else np.ones((7, 7), bool)
    mask |= np.eye(7, dtype=bool)
    mine = block(x, attn_mask=tt.tensor(mask)) if masked else block(x)
    their = theirs(y, src_mask=torch.tensor(~mask) if masked else None)
    agree(mine.data, their)
    mine.backward(tt.tensor(grad))
    their.backward(torch.tensor(grad))
    agree(x.grad.data, y.grad)
    parameters_agree(as_torch(gradients(block)), theirs)


@pytest.mark.parametrize(("d", "heads"), [(12, 3), (8, 2)])
def test_decoder_block_with_a_memory(tt: Any, torch: Any, rng: Any, d: int, heads: int) -> None:
    block = tt.DecoderBlock(d, heads, cross_attention=True)
    theirs = their_layer(torch, "TransformerDecoderLayer", d, heads)
    shake(block, rng)
    load(torch, theirs, as_torch(block, cross=True))
    a, memory = rng.normal(0, 1, (3, 6, d)).astype(np.float32), rng.normal(0, 1, (3, 4, d)).astype(np.float32)
    x, m = tt.tensor(a, requires_grad=True), tt.tensor(memory, requires_grad=True)
    y, n = torch.tensor(a, requires_grad=True), torch.tensor(memory, requires_grad=True)
    mine = block(x, m)
    their = theirs(y, n, tgt_mask=torch.nn.Transformer.generate_square_subsequent_mask(6), tgt_is_causal=True)
    agree(mine.data, their)
    grad = rng.normal(0, 1, a.shape).astype(np.float32)
    mine.backward(tt.tensor(grad))
    their.backward(torch.tensor(grad))
    agree(x.grad.data, y.grad, "x")
    agree(m.grad.data, n.grad, "memory")
    parameters_agree(as_torch(gradients(block), cross=True), theirs)


@pytest.mark.parametrize("sizes", SIZES)
def test_gpt_forward_and_backward(tt: Any, torch: Any, rng: Any, sizes: tuple[int, ...]) -> None:
    vocab, _, heads, _, longest = sizes
    model = tt.GPT(*sizes)
    shake(model, rng)
    theirs = their_gpt(torch, model, heads)
    for time in {1, longest // 2, longest}:
        ids, targets = rng.integers(0, vocab, (2, 3, time))
        model.zero_grad()
        theirs.zero_grad()
        logits, their_logits = model(tt.tensor(ids)), theirs(torch.tensor(ids))
        np.testing.assert_allclose(logits.data, their_logits.detach().numpy(), rtol=1e-3, atol=1e-4)
        loss = tt.CrossEntropyLoss()(logits.reshape(-1, vocab), tt.tensor(targets.reshape(-1)))
        their_loss = torch.nn.functional.cross_entropy(
            their_logits.reshape(-1, vocab), torch.tensor(targets.reshape(-1))
        )
        np.testing.assert_allclose(loss.item(), their_loss.item(), rtol=1e-5)
        loss.backward()
        their_loss.backward()
        kept = {name: parameter.data for name, parameter in model.named_parameters()}
        parameters_agree(gpt_as_torch(gradients(model)), theirs)
        for name, parameter in model.named_parameters():
            parameter.data = kept[name]


def test_gpt_learns_as_pytorch_does(tt: Any, torch: Any, rng: Any) -> None:
    model = tt.GPT(11, 16, 4, 2, 8)
    theirs = their_gpt(torch, model, 4)
    mine, their = tt.AdamW(model.parameters(), lr=3e-3), torch.optim.AdamW(theirs.parameters(), lr=3e-3)
    for _ in range(20):
        ids = rng.integers(0, 11, (4, 9))
        loss = tt.CrossEntropyLoss()(model(tt.tensor(ids[:, :-1])).reshape(-1, 11), tt.tensor(ids[:, 1:].reshape(-1)))
        their_loss = torch.nn.functional.cross_entropy(
            theirs(torch.tensor(ids[:, :-1])).reshape(-1, 11), torch.tensor(ids[:, 1:].reshape(-1))
        )
        np.testing.assert_allclose(loss.item(), their_loss.item(), rtol=1e-3)
        for optimizer, value in ((mine, loss), (their, their_loss)):
            optimizer.zero_grad()
            value.backward()
            optimizer.step()


def test_top_k(tt: Any, torch: Any, rng: Any) -> None:
    for _ in range(50):
        a = rng.permutation(60).reshape(2, 3, 10).astype(np.float32)
        k = int(rng.integers(1, 11))
        least = torch.topk(torch.tensor(a), k).values[..., -1:]
        theirs = torch.tensor(a).masked_fill(torch.tensor(a) < least, -math.inf)
        np.testing.assert_array_equal(tt.keep_top_k(tt.tensor(a), k).data, theirs.numpy())


# ---- what holds without PyTorch ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [*SIZES, (1, 2, 1, 0, 1), (50, 6, 2, 4, 3)])
def test_the_count_is_the_models(tt: Any, sizes: tuple[int, ...]) -> None:
    vocab, d, _, layers, longest = sizes
    real = sum(parameter.numel() for parameter in tt.GPT(*sizes).parameters())
    assert tt.gpt_parameter_count(vocab, d, layers, longest) == real


def test_the_count_of_gpt_2(tt: Any) -> None:
    """The published 124,439,808 share the head with the table of tokens."""
    assert tt.gpt_parameter_count(50257, 768, 12, 1024) - 50257 * 768 == 124_439_808


def test_the_first_loss_is_that_of_guessing(tt: Any, rng: Any) -> None:
    for vocab in (10, 65, 512):
        ids, targets = rng.integers(0, vocab, (8, 32)), rng.integers(0, vocab, 256)
        loss = tt.CrossEntropyLoss()(tt.GPT(vocab, 64, 4, 2, 32)(tt.tensor(ids)).reshape(-1, vocab), tt.tensor(targets))
        assert abs(loss.item() - math.log(vocab)) < 0.05


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_shares_are_the_softmax(tt: Any, temperature: float) -> None:
    """Chi-squared with 7 degrees of freedom: above 40 once in a million runs."""
    a = np.linspace(-1, 2, 8).astype(np.float32)
    count = 20_000
    drawn = tt.sample(tt.tensor(np.tile(a, (count, 1))), temperature, np.random.default_rng(3)).data
    due = np.exp(a / temperature) / np.exp(a / temperature).sum() * count
    assert ((np.bincount(drawn[:, 0], minlength=8) - due) ** 2 / due).sum() < 40


def test_small_temperatures_overflow_nothing(tt: Any) -> None:
    a = tt.tensor([[1000.0, 999.0, -1000.0]])
    with np.errstate(all="raise"):
        for temperature in (0, 1e-300, 1e-6, 1e300):
            tokens = tt.sample(a, temperature)
            assert tokens.data.dtype == np.int64
            assert temperature > 1 or tokens.item() == 0


def test_rows_go_on_by_themselves(tt: Any) -> None:
    tt.manual_seed(0)
    text = tt.GPT(20, 8, 2, 1, 4).generate(tt.tensor(np.zeros((50, 1), np.int64)), 10, seed=1).data
    assert len(np.unique(text, axis=0)) == 50


def test_a_batch_reads_as_its_rows_do(tt: Any, rng: Any) -> None:
    model, ids = tt.GPT(9, 8, 2, 2, 6), rng.integers(0, 9, (4, 3))
    shake(model, rng)
    together = model.generate(tt.tensor(ids), 8, temperature=0).data
    alone = [model.generate(tt.tensor(row[None]), 8, temperature=0).data[0] for row in ids]
    np.testing.assert_array_equal(together, alone)


def test_bad_input(tt: Any) -> None:
    model, ids = tt.GPT(10, 8, 2, 1, 4), tt.tensor([[1, 2]])
    calls: dict[str, Callable[[], Any]] = {
        "embed_dim 8|8 .*3": lambda: tt.GPT(10, 8, 3, 1, 4),
        r"5 ids in a row are too many: this GPT was made for max_len 4": lambda: model(tt.tensor([[1, 2, 3, 4, 5]])),
        r"ids have the shape \(batch, time\), not \(2,\)": lambda: model(tt.tensor([1, 2])),
        r"ids have the shape \(batch, time\), not \(3,\)": lambda: model.generate(tt.tensor([1, 2, 3]), 1),
        r"at least one id to go on from, and \(1, 0\) has none": lambda: model.generate(ids[:, :0], 1),
        "max_new_tokens is 0 or more, not -1": lambda: model.generate(ids, -1),
        "a number from 0 on, not -0.5": lambda: model.generate(ids, 1, temperature=-0.5),
        "a number from 0 on, not nan": lambda: model.generate(ids, 1, temperature=math.nan),
        "a number from 0 on, not inf": lambda: model.generate(ids, 1, temperature=math.inf),
        "top_k is from 1 to 10, the size of the vocabulary, not 0": lambda: model.generate(ids, 1, top_k=0),
        "top_k is from 1 to 10, the size of the vocabulary, not 11": lambda: model.generate(ids, 1, top_k=11),
        r"no cross_attention for a memory \(1, 2, 8\)": lambda: model.blocks[0](tt.zeros(1, 2, 8), tt.zeros(1, 2, 8)),
    }
    for said, call in calls.items():
        with pytest.raises(ValueError, match=said) as caught:
            call()
        assert "\n" not in str(caught.value)
    with pytest.raises(IndexError, match="10"):
        model(tt.tensor([[3, 10]]))
    with pytest.raises(TypeError):
        model(tt.tensor([[0.5]]))
