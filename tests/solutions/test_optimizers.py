"""Module 06's solutions: ten thousand steps beside PyTorch where it is installed, saving and loading, and refusals."""

from __future__ import annotations

import copy
import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.course import LAYERS, OPTIMIZERS
from tests.prose.examples import solution

KINDS = ("SGD", "RMSprop", "Adam", "AdamW")
PROGRAMS, STEPS = 25, 100  # of each kind: ten thousand steps together
SHAPES = ((), (1,), (3, 4), (2, 3, 2), (0, 3))


@pytest.fixture(scope="module")
def ours() -> Any:
    return solution(OPTIMIZERS)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(6)


# ---- the numbers of PyTorch -----------------------------------------------------------------------------


def random_options(rng: Any, kind: str) -> dict[str, Any]:
    """Options of an optimiser, each one left out, plain or unusual."""
    options: dict[str, Any] = {"lr": 10 ** rng.uniform(-4, -1)}
    if rng.random() < 0.5:
        options["weight_decay"] = rng.choice([0.0, 0.01, 0.3])
    if rng.random() < 0.25:
        options["maximize"] = True
    if kind == "SGD" and rng.random() < 0.75:
        options |= {"momentum": rng.uniform(0.1, 0.99), "dampening": 0.0, "nesterov": False}
        options |= [{}, {"dampening": rng.uniform(0, 0.9)}, {"nesterov": True}][rng.integers(3)]
    if kind == "RMSprop":
        options |= {"alpha": rng.uniform(0.5, 0.99), "centered": bool(rng.random() < 0.5)}
        options |= {"momentum": rng.choice([0.0, 0.9]), "eps": 10 ** rng.uniform(-8, -2)}
    if kind.startswith("Adam"):
        options |= {"betas": (rng.uniform(0, 0.95), rng.uniform(0.8, 0.999)), "amsgrad": bool(rng.random() < 0.5)}
        options |= {"eps": 10 ** rng.uniform(-8, -2)}
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in options.items()}


class Pair:
    """The same parameters, groups and options on both sides."""

    def __init__(self, ours: Any, torch: Any, tensor: Any, kind: str, rng: Any, dtype: Any) -> None:
        self.kind, self.rng, self.dtype, self.torch, self.tensor = getattr(ours, kind), rng, dtype, torch, tensor
        arrays = [rng.standard_normal(shape).astype(dtype) for shape in SHAPES]
        self.mine = [tensor(a, requires_grad=True, dtype=dtype) for a in arrays]
        self.theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
        self.options = random_options(rng, kind)
        extra = random_options(rng, kind)
        cut = int(rng.integers(0, len(SHAPES)))
        both = [
            [{"params": params[cut:]}, {"params": params[:cut], **extra}] if cut else params
            for params in (self.mine, self.theirs)
        ]
        self.optimizer = self.kind(both[0], **self.options)
        self.reference = getattr(torch.optim, kind)(both[1], **self.options)

    def step(self) -> None:
        """The same random gradients, some of them None, and a step of both."""
        for mine, theirs in zip(self.mine, self.theirs, strict=True):
            grad = (self.rng.standard_normal(mine.shape) * 10 ** self.rng.uniform(-3, 1)).astype(self.dtype)
            idle = self.rng.random() < 0.2
            mine.grad = None if idle else self.tensor(grad, dtype=self.dtype)
            theirs.grad = None if idle else self.torch.tensor(grad)
        self.optimizer.step()
        self.reference.step()

    def disturb(self) -> None:
        """Now and then a schedule moves lr, or the run is saved and goes on in another optimiser."""
        if self.rng.random() < 0.05:
            for mine, theirs in zip(self.optimizer.param_groups, self.reference.param_groups, strict=True):
                mine["lr"] = theirs["lr"] = theirs["lr"] * 0.5
        if self.rng.random() < 0.05:
            saved = self.optimizer.state_dict()
            self.optimizer = self.kind([{"params": g["params"]} for g in self.optimizer.param_groups], lr=7.0)
            self.optimizer.load_state_dict(saved)

    def compare(self) -> None:
        """Both sides have the same parameters and remember the same."""
        tight = self.dtype == np.float64
        for mine, theirs in zip(self.mine, self.theirs, strict=True):
            assert mine.dtype == self.dtype
            close(mine.data, theirs.detach().numpy(), tight=tight)
            kept = {name: value for name, value in self.optimizer.state.get(mine, {}).items() if name != "step"}
            for name, array in kept.items():
                assert array.dtype == self.dtype
                close(array, self.reference.state[theirs][name].numpy(), tight=tight)


def close(mine: Any, theirs: Any, *, tight: bool) -> None:
    """Equal to 1e-6 of the largest number, or as far as float64 reaches."""
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=scale * (1e-11 if tight else 1e-6))


@pytest.mark.parametrize("seed", range(PROGRAMS))
@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_pytorchs(ours: Any, torch: Any, tensor: Any, kind: str, seed: int) -> None:
    rng = np.random.default_rng([KINDS.index(kind), seed])
    pair = Pair(ours, torch, tensor, kind, rng, np.float64 if seed % 5 else np.float32)
    for number in range(1, STEPS + 1):
        pair.step()
        if number % 10 == 0:
            pair.compare()
        pair.disturb()


@pytest.mark.parametrize(
    ("kind", "options", "beside"),
    [
        ("SGD", {}, set()),
        ("SGD", {"momentum": 0.9}, set()),
        ("RMSprop", {"centered": True, "momentum": 0.9}, {"step"}),  # PyTorch counts and does not use it
        ("Adam", {}, set()),
        ("AdamW", {"amsgrad": True}, set()),
    ],
)
def test_a_state_dict_is_built_as_pytorchs(
    ours: Any, torch: Any, tensor: Any, kind: str, options: dict[str, Any], beside: set[str]
) -> None:
    dicts = []
    for library, make in ((ours, tensor), (torch.optim, torch.tensor)):
        a, b, c = (make([1.0, 2.0], requires_grad=True) for _ in range(3))
        optimizer = getattr(library, kind)([{"params": [a, b]}, {"params": [c], "lr": 0.5}], lr=0.25, **options)
        a.grad = c.grad = make([0.5, 0.5])
        optimizer.step()
        dicts.append(optimizer.state_dict())
    mine, theirs = dicts
    assert mine.keys() == theirs.keys()
    assert {number: set(kept) for number, kept in mine["state"].items() if kept} == {
        number: set(kept) - beside for number, kept in theirs["state"].items()
    }
    for here, there in zip(mine["param_groups"], theirs["param_groups"], strict=True):
        assert here == {name: there[name] for name in here}


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_a_run_of_pytorchs_goes_on_here(ours: Any, torch: Any, tensor: Any, rng: Any, kind: str) -> None:
    a, options = rng.standard_normal((3, 2)), {"lr": 0.1, "weight_decay": 0.1}
    theirs = torch.tensor(a, requires_grad=True)
    reference = getattr(torch.optim, kind)([theirs], **options, **({"momentum": 0.9} if kind == "SGD" else {}))
    grads = rng.standard_normal((4, 3, 2))
    for grad in grads[:2]:
        theirs.grad = torch.tensor(grad)
        reference.step()
    mine = tensor(theirs.detach().numpy(), requires_grad=True, dtype=np.float64)
    optimizer = getattr(ours, kind)([mine])
    saved = reference.state_dict()
    saved["state"] = {0: {name: np.asarray(kept.numpy()) for name, kept in saved["state"][0].items()}}
    optimizer.load_state_dict(saved)
    for grad in grads[2:]:
        theirs.grad, mine.grad = torch.tensor(grad), tensor(grad, dtype=np.float64)
        reference.step()
        optimizer.step()
    close(mine.data, theirs.detach().numpy(), tight=True)


# ---- a step ---------------------------------------------------------------------------------------------


def walk(ours: Any, tensor: Any, kind: str, arrays: list[Any], grads: list[Any], **options: Any) -> list[Any]:
    """The parameters after steps with these gradients."""
    parameters = [tensor(a, requires_grad=True) for a in arrays]
    optimizer = getattr(ours, kind)(parameters, lr=0.1, **options)
    for row in grads:
        for p, grad in zip(parameters, row, strict=True):
            p.grad = tensor(grad)
        optimizer.step()
    return [p.data for p in parameters]


FULL = {
    "SGD": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    "RMSprop": {"momentum": 0.9, "centered": True, "weight_decay": 0.1},
    "Adam": {"amsgrad": True, "weight_decay": 0.1},
    "AdamW": {"amsgrad": True, "weight_decay": 0.1},
}


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_make_no_difference(ours: Any, tensor: Any, rng: Any, kind: str, monkeypatch: Any) -> None:
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in (*SHAPES, (50,), (5, 40), (1, 30))]
    grads = [[rng.standard_normal(a.shape) for a in arrays] for _ in range(4)]
    whole = walk(ours, tensor, kind, arrays, grads, **FULL[kind])
    monkeypatch.setattr(ours, "PIECE", 8)
    for mine, due in zip(walk(ours, tensor, kind, arrays, grads, **FULL[kind]), whole, strict=True):
        np.testing.assert_array_equal(mine, due)


def test_a_rule_may_exchange_what_it_remembers(ours: Any, tensor: Any, rng: Any, monkeypatch: Any) -> None:
    class Plain(ours.Adam):  # type: ignore[misc]  # a class of the solutions, loaded by place
        def update(self, p: Any, grad: Any, state: Any, group: Any) -> None:
            beta1, beta2 = group["betas"]
            state["step"] = t = state["step"] + 1
            state["exp_avg"] = m = beta1 * state["exp_avg"] + (1 - beta1) * grad
            state["exp_avg_sq"] = v = beta2 * state["exp_avg_sq"] + (1 - beta2) * grad**2
            p -= group["lr"] * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + group["eps"])

    arrays, grads = [rng.standard_normal((40, 3))], [[rng.standard_normal((40, 3))] for _ in range(5)]
    (due,) = walk(ours, tensor, "Adam", arrays, grads)
    monkeypatch.setattr(ours, "PIECE", 30)
    monkeypatch.setattr(ours, "Adam", Plain)
    (mine,) = walk(ours, tensor, "Adam", arrays, grads)
    np.testing.assert_allclose(mine, due, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_writes_into_the_array_that_is_there(ours: Any, tensor: Any, rng: Any, kind: str) -> None:
    p = tensor(np.zeros((3, 4)), requires_grad=True)
    p.data = np.asfortranarray(p.data)[::-1, ::2]  # neither contiguous nor forward
    array, p.grad = p.data, tensor(rng.standard_normal((2, 3)).T)
    getattr(ours, kind)([p], lr=0.5).step()
    assert p.data is array
    assert bool((array != 0).all())
    assert p.is_leaf
    assert p.requires_grad


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_makes_no_array_as_large_as_the_parameter(ours: Any, tensor: Any, kind: str) -> None:
    p = tensor(np.ones((1000, 1000)), requires_grad=True)
    p.grad = tensor(np.ones((1000, 1000)))
    optimizer = getattr(ours, kind)([p], **FULL[kind])
    optimizer.step()
    tracemalloc.start()
    optimizer.step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.75 * p.nbytes


def test_adam_holds_twice_the_parameters_beside_them(ours: Any, tensor: Any) -> None:
    p = tensor(np.ones((100, 10)), requires_grad=True)
    p.grad = tensor(np.ones((100, 10)))
    optimizer = ours.Adam([p])
    optimizer.step()
    held = sum(kept.nbytes for kept in optimizer.state[p].values() if isinstance(kept, np.ndarray))
    assert held == 2 * p.nbytes


def test_a_closure_is_called_before_the_step(ours: Any, tensor: Any) -> None:
    p = tensor([4.0], requires_grad=True)
    optimizer = ours.SGD([p], lr=0.5)

    def closure() -> Any:
        p.grad = tensor([2.0])
        return p.item() ** 2

    assert optimizer.step(closure) == 16.0
    assert p.item() == 3.0


def test_a_gradient_of_another_shape_is_named(ours: Any, tensor: Any) -> None:
    p = tensor([[1.0, 2.0]], requires_grad=True)
    p.grad = tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=r"gradient of shape \(2,\) for a parameter of shape \(1, 2\)"):
        ours.SGD([p]).step()


def test_a_rule_is_the_subclasss_business(ours: Any, tensor: Any) -> None:
    p = tensor([1.0], requires_grad=True)
    p.grad = tensor([1.0])
    with pytest.raises(NotImplementedError, match="Optimizer has no update"):
        ours.Optimizer([p], {"lr": 0.5}).step()


# ---- what is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_no_parameters(ours: Any, kind: str) -> None:
    with pytest.raises(ValueError, match=f"{kind} got no parameters"):
        getattr(ours, kind)(iter([]))


def test_what_is_no_list_of_parameters(ours: Any, tensor: Any) -> None:
    model = solution(LAYERS).Linear(2, 3)
    for wrong in (tensor([1.0]), model, {"params": [tensor([1.0])]}, None, 3):
        with pytest.raises(TypeError, match=rf"model\.parameters\(\), not one {type(wrong).__name__}"):
            ours.SGD(wrong)
    with pytest.raises(TypeError, match="moves Tensors, not ndarray"):
        ours.SGD([np.ones(3)])


def test_parameters_that_cannot_be_optimised(ours: Any, tensor: Any) -> None:
    p, q = tensor([1.0, 2.0], requires_grad=True), tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"shape \(2,\) was made by an operation \(mul\)"):
        ours.SGD([p, q * 2])
    with pytest.raises(ValueError, match=r"shape \(2,\) is there twice"):
        ours.SGD([p, q, p])
    optimizer = ours.SGD([p])
    with pytest.raises(ValueError, match=r"shape \(2,\) is there twice"):
        optimizer.add_param_group({"params": [q, p]})
    assert optimizer.param_groups[0]["params"] == [p]
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        *((kind, {"lr": -0.5}, "lr is at least 0, not -0.5") for kind in KINDS),
        *((kind, {"lr": math.nan}, "lr is at least 0, not nan") for kind in KINDS),
        *((kind, {"weight_decay": -1}, "weight_decay is at least 0, not -1") for kind in KINDS),
        *((kind, {"eps": -1e-8}, "eps is at least 0, not -1e-08") for kind in KINDS[1:]),
        *((kind, {"momentum": -0.1}, "momentum is at least 0, not -0.1") for kind in KINDS[:2]),
        ("RMSprop", {"alpha": -0.9}, "alpha is at least 0, not -0.9"),
        ("Adam", {"betas": (1.0, 0.9)}, "each of betas lies in [0, 1), not at 1.0"),
        ("AdamW", {"betas": (0.9, -0.1)}, "each of betas lies in [0, 1), not at -0.1"),
        ("SGD", {"nesterov": True}, "momentum above 0 and no dampening, not momentum 0.0 and dampening 0.0"),
        ("SGD", {"nesterov": True, "momentum": 0.5, "dampening": 0.25}, "not momentum 0.5 and dampening 0.25"),
    ],
)
def test_options_out_of_range(ours: Any, tensor: Any, kind: str, options: dict[str, Any], says: str) -> None:
    p, q = tensor([1.0], requires_grad=True), tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole sentence is compared below
        getattr(ours, kind)([p], **options)
    assert says in str(caught.value)
    optimizer = getattr(ours, kind)([p])
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- as above
        optimizer.add_param_group({"params": [q], **options})
    assert says in str(caught.value)
    assert len(optimizer.param_groups) == 1


# ---- saving and loading ---------------------------------------------------------------------------------


def moved(ours: Any, tensor: Any, kind: str, shapes: tuple[tuple[int, ...], ...], **options: Any) -> Any:
    """An optimiser whose parameters have moved once, each a group of its own."""
    parameters = [tensor(np.ones(shape), requires_grad=True) for shape in shapes]
    optimizer = getattr(ours, kind)([{"params": [p]} for p in parameters], **options)
    for p in parameters:
        p.grad = tensor(np.ones(p.shape))
    optimizer.step()
    return optimizer


def foreign(ours: Any, tensor: Any) -> dict[str, tuple[Any, str]]:
    """State dicts that do not fit an Adam of parameters (2, 3) and (4,), and what is said of them."""
    right = moved(ours, tensor, "Adam", ((2, 3), (4,))).state_dict()
    lacks, odd, negative = copy.deepcopy(right), copy.deepcopy(right), copy.deepcopy(right)
    del lacks["state"][1]["exp_avg_sq"]
    odd["state"][1]["velocity"] = np.ones(4)
    negative["param_groups"][1]["lr"] = -1.0
    return {
        "another number of groups": (
            moved(ours, tensor, "Adam", ((2, 3),)).state_dict(),
            "groups of [1, 1] parameters, and the state dict groups of [1]",
        ),
        "another shape": (
            moved(ours, tensor, "Adam", ((2, 3), (5,))).state_dict(),
            "exp_avg is for a parameter of shape (5,), and this one has (4,)",
        ),
        "another rule": (
            moved(ours, tensor, "SGD", ((2, 3), (4,)), momentum=0.9).state_dict(),
            "these are not the options of Adam: betas, eps, amsgrad missing",
        ),
        "a name too few": (lacks, "['exp_avg', 'exp_avg_sq', 'step'] of a parameter, and the state dict has"),
        "a name too many": (odd, "the state dict has ['exp_avg', 'exp_avg_sq', 'step', 'velocity']"),
        "an lr that makes no sense": (negative, "lr is at least 0, not -1.0"),
        "a model's": ({"weight": np.ones((2, 3))}, "Adam needs 'state' and 'param_groups' in it"),
    }


@pytest.mark.parametrize(
    "what",
    [
        "another number of groups",
        "another shape",
        "another rule",
        "a name too few",
        "a name too many",
        "an lr that makes no sense",
        "a model's",
    ],
)
def test_a_foreign_state_is_refused_whole(ours: Any, tensor: Any, what: str) -> None:
    wrong, says = foreign(ours, tensor)[what]
    optimizer = moved(ours, tensor, "Adam", ((2, 3), (4,)), lr=0.125)
    before = optimizer.state_dict()
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole sentence is compared below
        optimizer.load_state_dict(wrong)
    assert says in str(caught.value)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    np.testing.assert_equal(after["state"], before["state"])


def test_loading_keeps_groups_and_copies_arrays(ours: Any, tensor: Any) -> None:
    optimizer = moved(ours, tensor, "SGD", ((2,), (3,)), momentum=0.5)
    groups, saved = list(optimizer.param_groups), optimizer.state_dict()
    saved["param_groups"][1]["lr"] = 0.75
    optimizer.load_state_dict(saved)
    assert all(here is there for here, there in zip(optimizer.param_groups, groups, strict=True))
    assert [group["lr"] for group in groups] == [1e-3, 0.75]
    saved["state"][0]["momentum_buffer"][...] = 7.0
    assert optimizer.state[groups[0]["params"][0]]["momentum_buffer"].tolist() == [1.0, 1.0]


def test_what_is_loaded_takes_the_parameters_dtype(ours: Any, tensor: Any) -> None:
    optimizer = moved(ours, tensor, "Adam", ((2,),))
    saved = optimizer.state_dict()
    saved["state"][0] = {"step": np.float32(1), "exp_avg": [0.5, 0.5], "exp_avg_sq": np.ones(2)}
    optimizer.load_state_dict(saved)
    kept = optimizer.state[optimizer.param_groups[0]["params"][0]]
    assert kept["step"] == 1
    assert kept["exp_avg"].dtype == kept["exp_avg_sq"].dtype == np.float32


def test_optimisers_print_their_groups(ours: Any, tensor: Any) -> None:
    optimizer = ours.SGD([{"params": [tensor([1.0])]}, {"params": [tensor([1.0])], "lr": 0.5}], lr=0.25)
    first = "lr=0.25, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False"
    second = first.replace("0.25", "0.5")
    assert repr(optimizer) == f"SGD (\n  group 0: 1 parameters, {first}\n  group 1: 1 parameters, {second}\n)"
