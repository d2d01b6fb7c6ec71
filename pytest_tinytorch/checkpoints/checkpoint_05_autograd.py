"""Checkpoint 05: autograd.

A rule is asked directly, for an operation that is put together by hand: so it is judged alone, however the operations
of the earlier modules were written. What the walk makes of the rules is asked through `backward` and `grad`.
"""

from __future__ import annotations

import numpy as np

from pytest_tinytorch.checking import Mistake, calm, exercise, named, raises, same, same_array

NO_CHAIN = "this is the slope alone. The chain rule multiplies it with grad."
AS_IT_CAME = "the gradient is handed on as it arrived. Multiply it with the slope."
NOT_SUMMED = "the gradient was handed on as it arrived. What forward repeated, backward sums: use share."
FIRST_ROW = "only the first of the rows that used it is counted. All of them report: sum."
FROM_X = "the slope is computed from x. The formula has y, the saved result."
OVERWRITTEN = "only the last report counts. A tensor used twice collects twice: add."
EXACT = np.float64


def handed_on(name, grad, arrays, flags, saved):
    """What the rule of an operation gives, as the walk reads it: an array for each input that requires a gradient."""
    inputs = tuple(tt.Tensor(a, requires_grad=flag, dtype=a.dtype) for a, flag in zip(arrays, flags, strict=True))
    with np.errstate(all="ignore"):
        parts = tt.autograd.Function(name, inputs, saved).backward(grad)
    parts = parts if isinstance(parts, tuple) else (parts,)
    if len(parts) != len(inputs):
        return [f"{len(parts)} gradients for {len(inputs)} inputs"] * len(inputs)
    return [
        np.array(part, dtype=x.data.dtype) if part is not None and x.requires_grad else None
        for x, part in zip(inputs, parts, strict=True)
    ]


def ask(lab, name, grad, *arrays, flags=None, **saved):
    """The rule's answer for these inputs, which all require a gradient unless `flags` says otherwise."""
    return lab(handed_on, name, grad, list(arrays), flags or [True] * len(arrays), saved)


def told(text, **arrays):
    """What was asked, with the numbers where they are few."""
    few = {name: np.array2string(a, separator=", ", precision=4) for name, a in arrays.items() if a.size <= 4}
    shown = [f"{name} = {few.get(name, f'array of shape {a.shape}')}" for name, a in arrays.items()]
    return f"{text}, with {', '.join(shown)}"


# ---- add_backward -------------------------------------------------------------------------------------------


@exercise("add_backward", points=1)
def test_add_hands_its_gradient_to_both(lab, draw):
    """a sum hands its gradient to both inputs as it is"""
    a, b, grad = draw(3), draw(3), draw(3)
    for name, got in zip("ab", ask(lab, "add", grad, a, b), strict=True):
        same_array(
            got,
            grad,
            what=told(f"gradient of {name} for y = a + b", a=a, b=b, grad=grad),
            mistakes=[
                Mistake(np.ones(3), "each slope is 1, but the chain rule multiplies it with grad."),
                Mistake(grad * b, "the other input is the slope of a product. That of a sum is 1."),
                Mistake(grad / 2, "the gradient is split. Both inputs raise y by all of what they rise."),
            ],
            smaller="((a + b) * 3).backward() gives 3 to a and 3 to b",
        )


@exercise("add_backward", points=2)
def test_add_of_a_bias_shared_by_a_batch(lab, draw):
    """a bias shared by a batch gets one gradient per bias"""
    rows, columns = draw.sizes(2)
    x, b, grad = draw(rows, columns), draw(columns), draw(rows, columns)
    same_array(
        ask(lab, "add", grad, x, b)[1],
        grad.sum(0),
        what=told("gradient of b for y = x + b", x=x, b=b, grad=grad),
        mistakes=[
            Mistake(grad, "the gradient of the sum was handed on as it arrived. b was read once per row: use share."),
            Mistake(grad[0], FIRST_ROW),
            Mistake(grad.mean(0), "the rows are averaged. Each of them read b: their gradients add up."),
        ],
        smaller="(ones(4) + b).sum() with b of shape (1,): b.grad is [4.]",
    )


# ---- mul_backward -------------------------------------------------------------------------------------------


@exercise("mul_backward", points=2)
def test_mul_gives_each_the_other(lab, draw):
    """a product multiplies the gradient of each input with the other input"""
    a, b, grad = draw(3), draw(3), draw(3)
    to_a, to_b = ask(lab, "mul", grad, a, b)
    for name, got, own, other in (("a", to_a, a, b), ("b", to_b, b, a)):
        same_array(
            got,
            grad * other,
            what=told(f"gradient of {name} for y = a * b", a=a, b=b, grad=grad),
            mistakes=[
                Mistake(grad * own, "each input is multiplied with itself. The slope is the other one."),
                Mistake(other, NO_CHAIN),
                Mistake(grad, AS_IT_CAME),
                Mistake(grad + other, "gradient and slope are added. The chain rule multiplies them."),
            ],
            smaller="(a * b).backward() at 2 and 5 gives 5 to a and 2 to b",
        )


@exercise("mul_backward", points=1)
def test_mul_sums_what_was_repeated(lab, draw):
    """a product of shapes (n, 1) and (m,) gives each input a gradient of its own shape"""
    n, m = draw.sizes(2)
    a, b, grad = draw(n, 1), draw(m), draw(n, m)
    to_a, to_b = ask(lab, "mul", grad, a, b)
    same_array(
        to_a,
        (grad * b).sum(1, keepdims=True),
        what=told("gradient of a for y = a * b", a=a, b=b, grad=grad),
        mistakes=[Mistake(grad * b, NOT_SUMMED)],
    )
    same_array(
        to_b,
        (grad * a).sum(0),
        what=told("gradient of b for y = a * b", a=a, b=b, grad=grad),
        mistakes=[Mistake(grad * a, NOT_SUMMED)],
    )


# ---- div_backward -------------------------------------------------------------------------------------------


@exercise("div_backward", points=2)
def test_div_of_both_sides(lab, draw):
    """a quotient knows the slopes of numerator and denominator"""
    a, b, grad = draw(3), draw(3), draw(3)
    to_a, to_b = ask(lab, "div", grad, a, b)
    same_array(
        to_a,
        grad / b,
        what=told("gradient of a for y = a / b", a=a, b=b, grad=grad),
        mistakes=[Mistake(grad * b, "the numerator's slope is 1 / b, not b."), Mistake(1 / b, NO_CHAIN)],
        smaller="(a / b).backward() at 6 and 3 gives 1/3 to a",
    )
    same_array(
        to_b,
        -grad * a / b**2,
        what=told("gradient of b for y = a / b", a=a, b=b, grad=grad),
        mistakes=[
            Mistake(grad * a / b**2, "the denominator's sign is lost: a larger b makes a smaller quotient."),
            Mistake(-grad * a / b, "the denominator's square is lost: -a / b^2."),
            Mistake(-grad / b**2, "the numerator is lost: -a / b^2."),
            Mistake(-a / b**2, NO_CHAIN),
            Mistake(grad / b, "both inputs get the numerator's gradient."),
        ],
        smaller="(a / b).backward() at 6 and 3 gives -6/9 = -2/3 to b",
    )


@exercise("div_backward", points=1)
def test_div_sums_what_was_repeated(lab, draw):
    """a quotient of shapes (m,) and (n, 1) gives each input a gradient of its own shape"""
    n, m = draw.sizes(2)
    a, b, grad = draw(m), draw(n, 1), draw(n, m)
    to_a, to_b = ask(lab, "div", grad, a, b)
    same_array(
        to_a,
        (grad / b).sum(0),
        what=told("gradient of a for y = a / b", a=a, b=b, grad=grad),
        mistakes=[Mistake(grad / b, NOT_SUMMED)],
    )
    same_array(
        to_b,
        (-grad * a / b**2).sum(1, keepdims=True),
        what=told("gradient of b for y = a / b", a=a, b=b, grad=grad),
        mistakes=[Mistake(-grad * a / b**2, NOT_SUMMED)],
    )


# ---- topological_order --------------------------------------------------------------------------------------


def ordered(pairs, leaves):
    """A graph of sums and products: the order of its tensors by number, constants and strangers as -1."""
    tensors = [tt.tensor([1.5], requires_grad=flag) for flag in leaves]
    for left, right in pairs:
        tensors.append(tensors[left] * tensors[right] if left < right else tensors[left] + tensors[right])
    numbers = {id(x): number for number, x in enumerate(tensors) if x.requires_grad}
    return [numbers.get(id(x), -1) for x in tt.autograd.topological_order(tensors[-1])]


@exercise("topological_order", points=2)
def test_topological_order_puts_inputs_first(lab, draw):
    """topological_order lists every tensor once, and its inputs before it"""
    leaves = [True, True, False, True]
    pairs = [(int(draw.integers(max(0, k - 3), k)), int(draw.integers(0, k))) for k in range(4, 12)]
    pairs.append((11, 10))
    got = lab(ordered, pairs, leaves)
    what = "the numbers of the tensors in topological_order(y), sorted"
    below, waiting = set(), [12]
    while waiting:
        number = waiting.pop()
        if number not in below:
            below.add(number)
            waiting += pairs[number - 4] if number >= 4 else ()
    # a product or sum requires a gradient when an input does
    needs = leaves.copy()
    for left, right in pairs:
        needs.append(needs[left] or needs[right])
    right = sorted(number for number in below if needs[number])
    same(
        sorted(got),
        right,
        what=what,
        mistakes=[
            Mistake(sorted([*right, 12]), "the root is listed twice."),
            Mistake([n for n in right if n != 12], "the root itself is missing. It is the last of the list."),
            Mistake([n for n in right if n > 3], "the leaves are missing. They are what the gradient is for."),
        ],
        smaller="x = tensor(2., requires_grad=True): topological_order(x * x + x) is x, x * x, and the sum",
    )
    place = {number: i for i, number in enumerate(got)}
    early = [
        (u, v) for v, pair in enumerate(pairs, start=4) for u in pair if {u, v} <= place.keys() and place[u] > place[v]
    ]
    same(early, [], what="pairs (input, result) whose result stands before its input in topological_order(y)")


def long_chain(steps, x):
    """The length of a long chain's order, and whether its ends are right, as a count."""
    y = x
    for _ in range(steps):
        y = y + 1.0
    order = tt.autograd.topological_order(y)
    return [len(order), int(order[0] is x) + int(order[-1] is y)]


@exercise("topological_order", points=2)
def test_topological_order_of_a_long_chain(tt, lab, draw):
    """topological_order follows a chain of 20,000 operations"""
    steps = 20_000 + draw.choice(range(9))
    same(
        lab(long_chain, steps, tt.tensor(draw(2), requires_grad=True)),
        [steps + 1, 2],
        what=f"length of topological_order of {steps} additions, and how many of its two ends are where they should be",
    )


# ---- backward -----------------------------------------------------------------------------------------------


@exercise("backward", points=2)
def test_backward_collects_from_every_use(tt, draw):
    """a tensor that is used twice collects twice"""
    a, grad = draw(3), draw(3)
    x = named(tt.tensor(a, requires_grad=True), "x")
    (x * x).backward(tt.tensor(grad))
    same(
        x.grad,
        2 * a * grad,
        what=told("x.grad after (x * x).backward(gradient)", x=a, gradient=grad),
        mistakes=[
            Mistake(a * grad, OVERWRITTEN),
            Mistake(2 * a, "the caller's gradient is not used: the walk starts from it, not from 1."),
        ],
        smaller="x * x at 3 has the slope 6",
    )
    y = named(tt.tensor(a, requires_grad=True), "x")
    (y + y + y).backward(tt.tensor(grad))
    same(
        y.grad,
        3 * grad,
        what=told("x.grad after (x + x + x).backward(gradient)", x=a, gradient=grad),
        mistakes=[Mistake(grad, OVERWRITTEN), Mistake(2 * grad, OVERWRITTEN)],
    )


@exercise("backward", points=2)
def test_backward_waits_for_all_reports(tt, draw):
    """a tensor passes on only when everything that used it has reported"""
    a, u, v = draw(3), draw(3), draw(3)
    x = named(tt.tensor(a, requires_grad=True), "x")
    m = x * tt.tensor(u)  # used three times, at two depths
    ((m * tt.tensor(v) + m) * m).backward(tt.tensor(np.ones(3, np.float32)))
    m_ = a * u
    short, inner = m_ * v + m_, m_
    right = (short + inner + inner * v) * u
    same(
        x.grad,
        right,
        what=told("x.grad after m = x * u; ((m * v + m) * m).backward(ones(3))", x=a, u=u, v=v),
        mistakes=[
            Mistake(short * u, "the middle passed on what it had when the first report came, and nothing later."),
            Mistake(inner * v * u, "only the report of the longest way arrives."),
            Mistake(
                (short + (short + inner) + right / u) * u,
                "the middle passed on after every report, its total each time.",
            ),
            Mistake((short + inner) * u, "the middle passed on before its last report had come."),
        ],
        smaller="m = 2 * x; (m * m + m).backward() at x = 1 gives (2 * 2 + 1) * 2 = 10",
    )


def kept_gradients(a, b, c):
    """Whether leaves, results and constants hold a gradient after a walk, and the leaf's."""
    x, w = tt.tensor(a, requires_grad=True), tt.tensor(b, requires_grad=True)
    constant = tt.tensor(c)
    y = x * constant
    z = y + w
    z.backward(tt.tensor(np.ones_like(a)))
    return ["tensor" if t.grad is not None else "None" for t in (x, w, constant, y, z)], x.grad.data


@exercise("backward", points=1)
def test_backward_writes_to_leaves_only(lab, draw):
    """only leaves that require a gradient keep one"""
    a, b, c = draw(3), draw(3), draw(3)
    kinds, grad = lab(kept_gradients, a, b, c)
    same(
        kinds,
        ["tensor", "tensor", "None", "None", "None"],
        what="grad of x, w, constant, y, z after y = x * constant; z = y + w; z.backward(ones(3))",
        mistakes=[
            Mistake(["tensor", "tensor", "None", "tensor", "tensor"], "results keep a gradient too. Only leaves do."),
            Mistake(["tensor", "tensor", "tensor", "None", "None"], "the constant got one: it requires none."),
        ],
    )
    same_array(grad, c, what=told("x.grad", constant=c))


@exercise("backward", points=1)
def test_backward_starts_where_it_is_told(tt, draw):
    """backward of many numbers needs a gradient of their shape, and says so"""
    n, m = draw.sizes(2)
    a, grad = draw(n, m), draw(n, m)
    x = named(tt.tensor(a, requires_grad=True), "x")
    raises(RuntimeError, (x * x).backward, mentions=[(n, m)])
    raises(ValueError, lambda: (x * x).backward(tt.tensor(grad.T)), mentions=[(n, m), (m, n)])
    (x * x).backward(tt.tensor(grad))
    same(x.grad, 2 * a * grad, what=told("x.grad after (x * x).backward(gradient)", x=a, gradient=grad))


def walks(a, keep):
    """x.grad after one walk and after a second one, or the kind of error that the second one raised."""
    x = tt.tensor(a, requires_grad=True)
    y = x * x
    tt.autograd.backward(y, retain_graph=keep)
    first = x.grad.data.copy()
    try:
        y.backward()
    except NotImplementedError:
        raise
    except (RuntimeError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        return first, type(error).__name__
    return first, x.grad.data


@exercise("backward", points=2)
def test_backward_uses_the_graph_up(lab, draw):
    """a graph can be walked once, unless it is kept"""
    a = draw(1)
    first, second = lab(walks, a, True)
    same_array(first, 2 * a, what=told("x.grad after autograd.backward(x * x, retain_graph=True)", x=a))
    same_array(
        second,
        4 * a,
        what=told("x.grad after y.backward(), which follows autograd.backward(y, retain_graph=True)", x=a),
        mistakes=[Mistake(2 * a, "the second walk did not add to what the first one left.")],
    )
    first, second = lab(walks, a, False)
    same_array(first, 2 * a, what=told("x.grad after (x * x).backward()", x=a))
    same(second, "RuntimeError", what="the error of a second y.backward()")


def alive_after(a):
    """How many results of a chain are still in memory while only the last one is held, before and after the walk."""
    import gc
    import weakref

    x = tt.tensor(a, requires_grad=True)
    y, seen = x, []
    for _ in range(7):
        y = y * x
        seen.append(weakref.ref(y))
    before = sum(ref() is not None for ref in seen)
    y.backward(tt.tensor(np.ones_like(a)))
    gc.collect()
    return [before, sum(ref() is not None for ref in seen)], x.grad.data


@exercise("backward", points=1)
def test_backward_gives_memory_back(lab, draw):
    """the walk frees what the operations held on to"""
    a = draw(2)
    counts, grad = lab(alive_after, a)
    same_array(grad, 8 * a.astype(EXACT) ** 7, dtype=np.float32, what=told("x.grad of x to the power of 8", x=a))
    same(
        counts,
        [7, 1],
        what="results of a chain in memory while the last one is held: before backward, after it",
        mistakes=[Mistake([7, 7], "the graph is still there after the walk. Call free(node) when a node is done.")],
    )


def failing_rule(a):
    """Gradients before and after a walk in which one rule fails."""

    def broken(grad, x):
        raise ValueError("this rule fails")

    tt.autograd.Function.rules["check_broken"] = broken
    x, w = tt.tensor(a, requires_grad=True), tt.tensor(a, requires_grad=True)
    (x * w).backward(tt.tensor(np.ones_like(a)))
    before = [x.grad.data.copy(), w.grad.data.copy()]
    y = w * w
    y.grad_fn.name = "check_broken"
    y.grad_fn.inputs = y.grad_fn.inputs[:1]
    said = "nothing"
    try:
        (x * x + y).backward(tt.tensor(np.ones_like(a)))
    except ValueError as error:
        said = str(error)
    return said, before, [x.grad.data, w.grad.data]


def one_way(a, b, grad):
    """Gradients of two leaves, where the rule of the last operation gives None for the first of its inputs."""
    tt.autograd.Function.rules["check_one_way"] = lambda grad, x, w: (None, grad * x.data)
    leaves = [tt.tensor(numbers, requires_grad=True) for numbers in (a, b)]
    x, w = (leaf * 2 for leaf in leaves)
    y = x * w
    y.grad_fn.name = "check_one_way"
    y.backward(tt.tensor(grad))
    return ["None" if leaf.grad is None else "tensor" for leaf in leaves], leaves[1].grad.data


@exercise("backward", points=1)
def test_backward_passes_over_what_gets_none(lab, draw):
    """where a rule gives None the walk ends, and it goes on elsewhere"""
    a, b, grad = draw(3), draw(3), draw(3)
    kinds, to_w = lab(one_way, a, b, grad)
    what = "where y = (2 * x) * (2 * w) has a rule that gives None for 2 * x"
    same_array(to_w, 4 * a * grad, what=told(f"w.grad after y.backward(grad), {what}", x=a, grad=grad))
    same(kinds, ["None", "tensor"], what=f"x.grad and w.grad after y.backward(grad), {what}")


@exercise("backward", points=1)
def test_backward_changes_nothing_when_a_rule_fails(lab, draw):
    """an error in a rule leaves all gradients as they were"""
    a = draw(3)
    said, before, after = lab(failing_rule, a)
    same_array(before[0], a, what=told("x.grad after (x * w).backward(ones(3)), w = x", x=a))
    same(said, "this rule fails", what="the message of the rule that fails")
    for name, old, new in zip("xw", before, after, strict=True):
        same_array(
            new,
            old,
            what=f"{name}.grad after a second walk in which a rule raised ValueError",
            mistakes=[
                Mistake(3 * old, "the leaf was written to before the walk had ended. Call accumulate at the end.")
            ],
        )


@exercise("backward", points=1)
def test_backward_keeps_dtypes(tt, draw):
    """a gradient has the dtype of its tensor, also where float32 and float64 meet"""
    a, b = draw(3), draw(3).astype(EXACT) / 3
    x = named(tt.tensor(a, requires_grad=True), "x")
    w = named(tt.tensor(b, dtype=EXACT, requires_grad=True), "w")
    (x * w).backward(tt.tensor(np.ones(3), dtype=EXACT))
    same(x.grad, b.astype(np.float32), what=told("x.grad after (x * w).backward(ones(3)), x float32, w float64", w=b))
    same(w.grad, a.astype(EXACT), dtype=EXACT, what=told("w.grad after (x * w).backward(ones(3)), x float32", x=a))


def chain_gradient(steps, a, grad):
    """The gradient at the start of a long chain of additions."""
    x = y = tt.tensor(a, requires_grad=True)
    for _ in range(steps):
        y = y + 1.0
    y.backward(tt.tensor(grad))
    return x.grad.data


@exercise("backward", points=1)
def test_backward_of_a_long_chain(lab, draw):
    """backward follows a chain of 20,000 operations"""
    a, grad = draw(2), draw(2)
    same_array(
        lab(chain_gradient, 20_000, a, grad),
        grad,
        what=told("x.grad after 20,000 additions of 1", gradient=grad),
    )


def doubled(steps, a):
    """The gradient where every step uses the last one twice."""
    x = y = tt.tensor(a, requires_grad=True)
    for _ in range(steps):
        y = y + y
    y.backward(tt.tensor(np.ones_like(a)))
    return x.grad.data


@exercise("backward", points=1)
def test_backward_visits_every_tensor_once(lab, draw):
    """backward visits every tensor once, however many ways lead to it"""
    steps, a = draw.choice([50, 52, 54]), draw(2)
    same_array(
        lab(doubled, steps, a),
        np.full(2, 2.0**steps),
        what=f"x.grad after {steps} times y = y + y: there are 2 to the power of {steps} ways from y to x",
    )


# ---- accumulate ---------------------------------------------------------------------------------------------


@exercise("accumulate", points=2)
def test_accumulate_adds_up(tt, draw):
    """two backward calls add up, as in PyTorch"""
    a, b = draw(3), draw(3)
    x, w = named(tt.tensor(a, requires_grad=True), "x"), named(tt.tensor(b, requires_grad=True), "w")
    for grad in (a, b):
        (x * 2 - w).backward(tt.tensor(grad))
    same(
        x.grad,
        2 * a + 2 * b,
        what=told("x.grad after (2 * x - w).backward(a) and (2 * x - w).backward(b)", a=a, b=b),
        mistakes=[
            Mistake(2 * b, "the second gradient took the place of the first one. Add it, as PyTorch does."),
            Mistake(2 * a, "the second gradient was dropped. Add it to the first one."),
        ],
        smaller="(3 * x).backward() twice: x.grad is 6",
    )
    same(w.grad, -a - b, what=told("w.grad after (2 * x - w).backward(a) and (2 * x - w).backward(b)", a=a, b=b))


def pokes(a, b, grad):
    """Gradients of three leaves and of what they came from, while one after the other is written into."""
    x, w, v = (tt.tensor(numbers, requires_grad=True) for numbers in (a, b, a))
    gradient = tt.tensor(grad)
    (x + w + v).backward(gradient)
    x.grad.data[0] = 77.0
    first = w.grad.data.copy()
    w.grad.data[1] = 88.0
    return [x.grad.data.copy(), first, v.grad.data.copy(), gradient.data.copy()]


@exercise("accumulate", points=2)
def test_accumulate_gives_each_leaf_memory_of_its_own(lab, draw):
    """whoever writes into one gradient changes no other, and not the caller's"""
    a, b, grad = draw(3), draw(3), draw(3)
    poked = grad.copy()
    poked[0] = 77
    to_x, to_w, to_v, gradient = lab(pokes, a, b, grad)
    after = "after (x + w + v).backward(gradient) and x.grad.data[0] = 77"
    same_array(
        to_w,
        grad,
        what=f"w.grad {after}",
        mistakes=[Mistake(poked, "both leaves share one array. Give each a copy of its own.")],
    )
    same_array(
        gradient,
        grad,
        what=f"gradient {after}",
        mistakes=[Mistake(poked, "x.grad shares memory with the gradient that the caller gave. Copy it.")],
    )
    same_array(to_x, poked, what=f"x.grad {after}, and w.grad.data[1] = 88")
    same_array(to_v, grad, what=f"v.grad {after}, and w.grad.data[1] = 88")


def in_place(a):
    """Whether the gradient's Tensor stays the same, told by a reference from before; a sum's is writable."""
    x = tt.tensor(a, requires_grad=True)
    x.sum().backward()
    held = x.grad
    held.data[...] = a
    x.sum().backward()
    return held.data


@exercise("accumulate", points=1)
def test_accumulate_works_in_place(lab, draw):
    """a reference to x.grad stays good, and can be written into"""
    a = draw(2, 3)
    same_array(
        lab(in_place, a),
        a + 1,
        what="held.data after held = x.grad; held.data[...] = a; x.sum().backward()",
        mistakes=[Mistake(a, "x.grad became another Tensor. Add to the array that is there: x.grad.data += grad.")],
    )


# ---- unbroadcast --------------------------------------------------------------------------------------------


@exercise("unbroadcast", points=1)
def test_unbroadcast_sums_dimensions_in_front(tt, draw):
    """unbroadcast sums over the dimensions that broadcasting put in front"""
    k, n, m = draw.sizes(3)
    grad = draw(k, n, m)
    same_array(
        tt.unbroadcast(grad, (m,)),
        grad.sum((0, 1)),
        mistakes=[
            Mistake(
                grad.sum((0, 1), keepdims=True), "the dimensions in front stay. They were not there before: drop them."
            ),
            Mistake(grad.sum(0), "only one of the dimensions in front is summed."),
            Mistake(grad[0, 0], FIRST_ROW),
            Mistake(grad.mean((0, 1)), "the gradient is averaged. Reports add up."),
        ],
        smaller="unbroadcast([[1, 2, 3], [4, 5, 6]], (3,)) is [5, 7, 9]",
    )
    same_array(tt.unbroadcast(grad, (n, m)), grad.sum(0))


@exercise("unbroadcast", points=2)
def test_unbroadcast_keeps_stretched_sizes(tt, draw):
    """unbroadcast sums over a stretched size of 1, and keeps it"""
    n, m = draw.sizes(2)
    grad = draw(n, m)
    same_array(
        tt.unbroadcast(grad, (n, 1)),
        grad.sum(1, keepdims=True),
        mistakes=[
            Mistake(grad.sum(1), "the dimension of size 1 is gone. Stretching keeps it: keepdims=True."),
            Mistake(grad, "sizes of 1 are not looked at. Stretching has its own way back: sum, and keep size 1."),
            Mistake(grad[:, :1], "only the first column is counted. All of them report: sum."),
            Mistake(grad.mean(1, keepdims=True), "the gradient is averaged. Reports add up."),
        ],
        smaller="unbroadcast([[1, 2, 3], [4, 5, 6]], (2, 1)) is [[6], [15]]",
    )
    same_array(tt.unbroadcast(grad, (1, m)), grad.sum(0, keepdims=True))


@exercise("unbroadcast", points=2)
def test_unbroadcast_of_everything_at_once(tt, draw):
    """unbroadcast undoes both at once, and leaves alone what was not broadcast"""
    k, n, m = draw.sizes(3)
    grad = draw(k, n, m)
    for shape, right in (
        ((n, 1), grad.sum((0, 2))[:, None]),
        ((1, m), grad.sum((0, 1))[None]),
        ((k, 1, m), grad.sum(1, keepdims=True)),
        ((1, 1, 1), grad.sum().reshape(1, 1, 1)),
        ((), grad.sum()),
        ((k, n, m), grad),
    ):
        same_array(tt.unbroadcast(grad, shape), right)
    ones = draw(n, 1)
    same_array(tt.unbroadcast(ones, (n, 1)), ones)
    same_array(tt.unbroadcast(ones, (1,)), ones.sum(0))


# ---- element by element -------------------------------------------------------------------------------------


@exercise("sqrt_backward", points=1)
def test_sqrt_slope_is_half_the_inverse_root(lab, draw):
    """the slope of a square root is 1 / (2 · root), infinite at 0"""
    root, grad = draw.positive(4), draw.positive(4)
    root[draw.choice(range(4))] = 0
    with np.errstate(divide="ignore"):
        right, twice, wrong = grad / (2 * root), 2 * grad / root, grad / root
        from_square = grad / (2 * root * root)
    same_array(
        ask(lab, "sqrt", grad, root * root, result=root)[0],
        right,
        what=told("gradient of x for y = x.sqrt()", x=root * root, grad=grad),
        mistakes=[
            Mistake(wrong, "the 2 is missing: 1 / (2 · root)."),
            Mistake(twice, "the 2 belongs below the line: 1 / (2 · root)."),
            Mistake(from_square, "x itself stands below the line. It is the root, y."),
            Mistake(right / np.where(grad, grad, 1), NO_CHAIN),
        ],
        smaller="x.sqrt().backward() at 4 gives 1 / (2 * 2) = 0.25",
    )


@exercise("tanh_backward", points=1)
def test_tanh_slope_is_one_minus_its_square(lab, draw):
    """the slope of tanh is 1 - y²"""
    x, grad = draw(3), draw(3)
    y = np.tanh(x)
    same_array(
        ask(lab, "tanh", grad, x, result=y)[0],
        grad * (1 - y * y),
        what=told("gradient of x for y = tanh(x)", x=x, grad=grad),
        mistakes=[
            Mistake(grad * (1 - x * x), FROM_X),
            Mistake(1 - y * y, NO_CHAIN),
            Mistake(grad * (1 - y), "the square is missing: 1 - y^2."),
            Mistake(grad * y * (1 - y), "this is the slope of sigmoid. That of tanh is 1 - y^2."),
        ],
        smaller="tanh(x) at 0 has the slope 1",
    )


@exercise("sigmoid_backward", points=1)
def test_sigmoid_slope_is_y_times_its_rest(lab, draw):
    """the slope of sigmoid is y · (1 - y)"""
    x, grad = draw(3), draw(3)
    y = (1 / (1 + np.exp(-x))).astype(np.float32)
    same_array(
        ask(lab, "sigmoid", grad, x, result=y)[0],
        grad * y * (1 - y),
        what=told("gradient of x for y = sigmoid(x)", x=x, grad=grad),
        mistakes=[
            Mistake(grad * x * (1 - x), FROM_X),
            Mistake(y * (1 - y), NO_CHAIN),
            Mistake(grad * (1 - y * y), "this is the slope of tanh. That of sigmoid is y · (1 - y)."),
            Mistake(grad * y, "the factor 1 - y is missing."),
            Mistake(grad * (1 - y), "the factor y is missing."),
        ],
        smaller="sigmoid(x) at 0 is 0.5 and has the slope 0.25",
    )


@exercise("relu_backward", points=1)
def test_relu_lets_through_what_is_positive(lab, draw):
    """relu hands on the gradient where its input is positive, and 0 elsewhere, also at 0"""
    order = draw.permutation(5)
    x, grad = (
        draw.positive(5) * np.float32([0.25, 1, -1, -1, 0])[order],  # one is surely below 1
        draw.positive(5) * np.float32([1, -1, 1, -1, 1])[order],
    )
    same_array(
        ask(lab, "relu", grad, x, result=np.maximum(x, 0))[0],
        grad * (x > 0),
        what=f"gradient of x for y = relu(x), with x = {x.tolist()}, grad = {grad.tolist()}",
        mistakes=[
            Mistake(grad * (x >= 0), "at 0 itself the slope is 0: x > 0, not x >= 0."),
            Mistake(x > 0, NO_CHAIN),
            Mistake(grad, "the gradient comes through everywhere. Where relu gave 0, nothing passes."),
            Mistake(grad * np.maximum(x, 0), "the result is the factor. The slope is 1 where it is positive."),
            Mistake(grad * (grad > 0), "the sign of grad decides. It is the sign of the result that does."),
            Mistake(grad * (x <= 0), "it passes where x is not positive: the other way round."),
        ],
        smaller="relu at 3, -2 and 0 has the slopes 1, 0 and 0",
    )


@exercise("relu_backward", points=1)
def test_relu_blocks_an_infinite_gradient(tt, draw):
    """where relu gave 0, not even an infinite gradient passes"""
    a = draw.positive(4) * np.float32([1, -1, 1, -1])[draw.permutation(4)]
    x = named(tt.tensor(a, requires_grad=True), "x")
    tt.relu(x).sqrt().backward(tt.tensor(np.ones(4)))
    with np.errstate(all="ignore"):
        right = np.where(a > 0, 0.5 / np.sqrt(a), 0)
    same(
        x.grad,
        right,
        what=told("x.grad after relu(x).sqrt().backward(ones(4))", x=a),
        mistakes=[Mistake(np.where(a > 0, right, np.nan), "0 · inf is nan. Use masked(grad, mask), or np.where.")],
    )


@exercise("clamp_backward", points=2)
def test_clamp_lets_through_what_lies_between(lab, draw):
    """clamp hands on the gradient between its bounds, and at the bounds"""
    x, grad = np.float32([-2.5, -1, 0.25, 2, 7])[draw.permutation(5)], draw(5)
    within = (x >= -1) & (x <= 2)
    what = f"gradient of x for x.clamp(-1, 2), with x = {x.tolist()}, grad = {grad.tolist()}"
    same_array(
        ask(lab, "clamp", grad, x, min=-1, max=2)[0],
        grad * within,
        what=what,
        mistakes=[
            Mistake(grad * ((x > -1) & (x < 2)), "at the bounds themselves the gradient passes: <=, not <."),
            Mistake(within, NO_CHAIN),
            Mistake(grad, "the gradient comes through everywhere. What was cut off has the slope 0."),
            Mistake(grad * ~within, "it passes where x was cut off: the other way round."),
            Mistake(grad * (x >= -1), "only min is looked at."),
            Mistake(grad * (x <= 2), "only max is looked at."),
        ],
        smaller="x.clamp(0, 1) at 0.5, 1 and 2 has the slopes 1, 1 and 0",
    )
    low, high = (int(n) for n in draw.integers(-2, 2, 2))
    for bounds, passes in (({"min": low, "max": None}, x >= low), ({"min": None, "max": high}, x <= high)):
        got = ask(lab, "clamp", grad, x, **bounds)[0]
        same_array(
            got, grad * passes, what=f"gradient of x for x.clamp{(bounds['min'], bounds['max'])}, x = {x.tolist()}"
        )


@exercise("pow_backward", points=2)
def test_pow_of_base_and_exponent(lab, draw):
    """a power knows the slopes of its base and of its exponent"""
    x, p, grad = draw.positive(3), draw.positive(3), draw(3)
    # a slope that is off in the last digit of float32 is right
    to_x, to_p = ask(lab, "pow", grad, x, p)
    wide = {name: a.astype(EXACT) for name, a in (("x", x), ("p", p), ("grad", grad))}
    u, q, g = wide.values()
    same_array(
        to_x,
        g * q * u ** (q - 1),
        rtol=1e-4,
        dtype=np.float32,
        what=told("gradient of x for y = x ** p", x=x, p=p, grad=grad),
        mistakes=[
            Mistake(g * u ** (q - 1), "the factor p is missing: p · x^(p - 1)."),
            Mistake(g * q * u**q, "the exponent is still p: p · x^(p - 1)."),
            Mistake(q * u ** (q - 1), NO_CHAIN),
            Mistake(g * q * u, "this is right for squares only. The power of x is p - 1."),
        ],
        smaller="x ** 3 at 2 has the slope 3 * 2 ** 2 = 12",
    )
    same_array(
        to_p,
        g * u**q * np.log(u),
        rtol=1e-4,
        atol=1e-5,
        dtype=np.float32,
        what=told("gradient of p for y = x ** p", x=x, p=p, grad=grad),
        mistakes=[
            Mistake(g * u**q, "the factor log(x) is missing: x^p · log(x)."),
            Mistake(g * np.log(u), "the factor x^p is missing: x^p · log(x)."),
            Mistake(g * u**q * np.log(q), "the logarithm is that of x, not of p."),
        ],
        smaller="2 ** p at 3 has the slope 8 * log 2 = 5.545",
    )


@exercise("pow_backward", points=1)
def test_pow_at_zero(lab, draw):
    """a power has finite slopes at 0 wherever PyTorch's has"""
    scale = draw(4)
    x = np.float32([0, 0, 0, 3])
    p = np.float32([0, 1, 2, 0])
    order = draw.permutation(4)
    to_x, to_p = ask(lab, "pow", scale[order], x[order], p[order])
    same_array(
        to_x,
        (scale * np.float32([0, 1, 0, 0]))[order],
        what=told("gradient of x for y = x ** p", x=x[order], p=p[order], grad=scale[order]),
        mistakes=[
            Mistake(
                (scale * np.float32([np.nan, 1, 0, 0]))[order],
                "x^0 is constant: its slope is 0, also where 0^-1 is inf.",
            )
        ],
    )
    same_array(
        to_p,
        (scale * np.float32([0, 0, 0, np.log(3)]))[order],
        what=told("gradient of p for y = x ** p", x=x[order], p=p[order], grad=scale[order]),
    )


@exercise("pow_backward", points=1)
def test_pow_with_a_number(tt, draw):
    """x ** 3 of a matrix gives x a gradient of its own shape"""
    n, m = draw.sizes(2)
    a, grad = draw(n, m), draw(n, m)
    x = named(tt.tensor(a, requires_grad=True), "x")
    (x**3).backward(tt.tensor(grad))
    same(x.grad, 3 * a * a * grad, rtol=1e-4, what=told("x.grad after (x ** 3).backward(gradient)", x=a))
    p = named(tt.tensor(np.float32(2), requires_grad=True), "p")
    b = np.abs(a)
    (named(tt.tensor(b), "x") ** p).backward(tt.tensor(grad))
    right = (grad * b.astype(EXACT) ** 2 * np.log(b)).sum()
    same(p.grad, right, rtol=1e-3, atol=1e-3, what="p.grad after (x ** p).backward(gradient), p a single number")


@exercise("maximum_backward", points=2)
def test_maximum_gives_to_the_larger(lab, draw):
    """the larger of two gets the gradient, and a tie is shared"""
    a = draw(4)
    b = a + np.float32([1, -1, 0.5, 0])[draw.permutation(4)]
    grad = draw(4)
    wins, tie = a > b, a == b
    to_a, to_b = ask(lab, "maximum", grad, a, b)
    for name, got, mine, other in (("a", to_a, wins, a < b), ("b", to_b, a < b, wins)):
        same_array(
            got,
            grad * mine + grad * tie / 2,
            what=told(f"gradient of {name} for y = maximum(a, b)", a=a, b=b, grad=grad),
            mistakes=[
                Mistake(grad * mine, "at a tie nobody gets anything. Half belongs to each, as in PyTorch."),
                Mistake(grad * (mine | tie), "at a tie both get all of it. Half belongs to each, as in PyTorch."),
                Mistake(grad * other + grad * tie / 2, "the smaller one gets it: the other way round."),
                Mistake(grad, "both get all of it. Only the larger one moves the result."),
            ],
            smaller="maximum(a, b).backward() at 2 and 2 gives 0.5 to each",
        )


@exercise("maximum_backward", points=1)
def test_maximum_with_one_number_for_all(lab, draw):
    """maximum with a bound for each column gives the bound a gradient of its own shape"""
    n, m = draw.sizes(2)
    a, b, grad = draw.distinct(n, m), draw(m) + np.float32(1 / 16), draw(n, m)
    to_a, to_b = ask(lab, "maximum", grad, a, b)
    same_array(to_a, grad * (a > b), what=told("gradient of a for y = maximum(a, b)", a=a, b=b, grad=grad))
    same_array(
        to_b,
        (grad * (a < b)).sum(0),
        what=told("gradient of b for y = maximum(a, b)", a=a, b=b, grad=grad),
        mistakes=[Mistake(grad * (a < b), NOT_SUMMED)],
    )


@exercise("where_backward", points=2)
def test_where_gives_back_where_it_took(lab, draw):
    """where gives each element's gradient back to the input that it came from"""
    n, m = draw.sizes(2)
    a, b, grad = draw(n, m), draw(m), draw(n, m)
    mask = draw.permutation(n * m).reshape(n, m) % 2 == 0
    to_a, to_b = ask(lab, "where", grad, a, b, condition=mask)
    same_array(
        to_a,
        grad * mask,
        what=told("gradient of a for y = where(condition, a, b)", a=a, b=b, grad=grad),
        mistakes=[
            Mistake(grad * ~mask, "the inputs are exchanged: a is taken where the condition is True."),
            Mistake(grad, "a gets the gradient of all elements. Only some of them came from it."),
        ],
        smaller="where([True, False], a, b) gives the first gradient to a and the second to b",
    )
    same_array(
        to_b,
        (grad * ~mask).sum(0),
        what=told("gradient of b for y = where(condition, a, b)", a=a, b=b, grad=grad),
        mistakes=[
            Mistake(grad * ~mask, NOT_SUMMED),
            Mistake((grad * mask).sum(0), "both inputs get the same elements."),
        ],
    )
    row = mask[:, :1]
    got = ask(lab, "where", grad, a, b, condition=row)[0]
    same_array(got, grad * row, what="gradient of a for y = where(condition, a, b) with one condition per row")


# ---- matmul_backward ----------------------------------------------------------------------------------------


@exercise("matmul_backward", points=2)
def test_matmul_of_two_matrices(lab, draw):
    """a matrix product multiplies its gradient with the transpose of the other operand"""
    n, k, m = draw.sizes(3)
    a, b, grad = draw(n, k), draw(k, m), draw(n, m)
    to_a, to_b = ask(lab, "matmul", grad, a, b)
    same_array(
        to_a,
        grad @ b.T,
        what=told("gradient of a for y = a @ b", a=a, b=b, grad=grad),
        mistakes=[Mistake((grad @ b.T).T, "this is the transpose of a's gradient.")],
        smaller="(a @ b).sum().backward() with a (1, 2) and b = [[5], [7]]: a.grad is [[5, 7]]",
    )
    same_array(
        to_b,
        a.T @ grad,
        what=told("gradient of b for y = a @ b", a=a, b=b, grad=grad),
        mistakes=[Mistake(grad.T @ a, "this is the transpose of b's gradient: aᵀ @ grad, in this order.")],
    )


@exercise("matmul_backward", points=1)
def test_matmul_of_square_matrices(lab, draw):
    """a product of square matrices, where every wrong order has the right shape"""
    n = draw.choice([2, 3, 4])
    a, b, grad = draw(n, n), draw(n, n), draw(n, n)
    to_a, to_b = ask(lab, "matmul", grad, a, b)
    order = "the factors stand in the wrong order. For a it is grad @ bᵀ, for b it is aᵀ @ grad."
    untransposed = "nothing is transposed. For a it is grad @ bᵀ, for b it is aᵀ @ grad."
    same_array(
        to_a,
        grad @ b.T,
        what=told("gradient of a for y = a @ b", a=a, b=b, grad=grad),
        mistakes=[
            Mistake(b.T @ grad, order),
            Mistake(grad @ b, untransposed),
            Mistake(grad * b, "this is the rule of the product element by element, a * b."),
        ],
    )
    same_array(
        to_b,
        a.T @ grad,
        what=told("gradient of b for y = a @ b", a=a, b=b, grad=grad),
        mistakes=[Mistake(grad @ a.T, order), Mistake(a @ grad, untransposed)],
    )


@exercise("matmul_backward", points=2)
def test_matmul_of_batches(lab, draw):
    """a product of batches sums over what was broadcast"""
    p, n, k, m = draw.sizes(4)
    cases = (
        ((p, n, k), (k, m)),  # a batch through one layer
        ((p, n, k), (p, k, m)),
        ((2, 1, n, k), (p, k, m)),
        ((n, k), (p, k, m)),
    )
    for left, right in cases:
        a, b = draw(*left), draw(*right)
        grad = draw(*(a @ b).shape)
        due_a, due_b = grad @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ grad
        for name, got, due, shape in zip(
            "ab", ask(lab, "matmul", grad, a, b), (due_a, due_b), (left, right), strict=True
        ):
            front = tuple(range(due.ndim - len(shape)))
            summed = due.astype(EXACT).sum(front)
            stretched = tuple(i for i, size in enumerate(shape) if size != summed.shape[i])
            same_array(
                got,
                summed.sum(stretched, keepdims=True),
                dtype=np.float32,
                rtol=1e-4,
                what=f"gradient of {name} for y = a @ b with a {left} and b {right}",
                mistakes=[Mistake(due, "the batch is not summed. What forward repeated, backward sums.")],
            )


@exercise("matmul_backward", points=2)
def test_matmul_of_vectors(lab, draw):
    """a vector on either side of a product gets a vector"""
    p, n, k, m = draw.sizes(4)
    v, w, a, b = draw(k), draw(k), draw(n, k), draw(k, m)
    batch, other = draw(p, n, k), draw(p, k, m)
    ones, grad, tall = draw(), draw(n), draw(m)
    high, wide = draw(p, n), draw(p, m)
    cases = (
        ("(k,) @ (k,)", v, w, ones, ones * w, ones * v),
        ("(n, k) @ (k,)", a, v, grad, np.outer(grad, v), a.T @ grad),
        ("(k,) @ (k, m)", v, b, tall, b @ tall, np.outer(v, tall)),
        ("(p, n, k) @ (k,)", batch, v, high, high[..., None] * v, np.einsum("pnk,pn->k", batch, high)),
        ("(k,) @ (p, k, m)", v, other, wide, np.einsum("pkm,pm->k", other, wide), v[:, None] * wide[:, None]),
    )
    for text, left, right, arrived, due_a, due_b in cases:
        for name, got, due in zip("ab", ask(lab, "matmul", arrived, left, right), (due_a, due_b), strict=True):
            same_array(got, due, rtol=1e-4, what=f"gradient of {name} for y = a @ b with shapes {text}")


# ---- elements that were moved -------------------------------------------------------------------------------


@exercise("permute_backward", points=2)
def test_permute_goes_back(lab, draw):
    """permute brings every dimension of the gradient back to its place"""
    shape = draw.sizes(4)
    dims = draw.choice([(1, 2, 3, 0), (3, 0, 1, 2), (1, 3, 0, 2), (2, 0, 3, 1)])  # none undoes itself
    x = draw(*shape)
    grad = draw(*(shape[d] for d in dims))
    right = grad.transpose(np.argsort(dims))
    again = grad.transpose(dims)
    negative = tuple(d - 4 * flag for d, flag in zip(dims, draw.permutation(4) % 2, strict=True))
    for given in (dims, tuple(int(d) for d in negative)):
        same_array(
            ask(lab, "permute", grad, x, dims=given)[0],
            right,
            what=f"gradient of x for y = x.permute{given} with x of shape {shape}",
            mistakes=[
                Mistake(again, "the dimensions are moved on once more. The way back is the inverse order, np.argsort."),
                Mistake(grad.reshape(shape), "the shape is right, but the elements are not moved back."),
                Mistake(grad, "the gradient keeps the order of the result."),
            ],
            smaller="x.permute(1, 2, 0) is undone by permute(2, 0, 1)",
        )


@exercise("getitem_backward", points=1)
def test_getitem_puts_zeros_where_nothing_was_picked(lab, draw):
    """indexing gives what was picked its gradient, and 0 to the rest"""
    x = draw(5, 4)
    indices = ((2, ...), (slice(None), -1, ...), (slice(1, 5, 2), slice(0, 2), ...), (..., None, 3))
    for index in indices:
        grad = draw(*x[index].shape)
        right = np.zeros_like(x)
        right[index] = grad
        same_array(
            ask(lab, "getitem", grad, x, index=index)[0],
            right,
            what=f"gradient of x for x[{', '.join(map(spelt, index))}] with x of shape (5, 4)",
            mistakes=[Mistake(grad, "what was not picked must get 0: the gradient has the shape of x.")],
            smaller="x[1].backward() with x of shape (3,): x.grad is [0, 1, 0]",
        )


def spelt(part):
    """A part of an index as it is typed."""
    if isinstance(part, slice):
        return ":".join("" if n is None else str(n) for n in (part.start, part.stop, part.step)).removesuffix(":")
    return "..." if part is ... else str(part)


@exercise("getitem_backward", points=2)
def test_getitem_adds_up_what_was_picked_twice(lab, draw):
    """an element that was picked twice collects both gradients"""
    x, grad = draw(4, 3), draw(6, 3)
    ids = np.array([0, 1, 2, 2, 2, 0])[draw.permutation(6)]
    right, last, first = np.zeros((3, 4, 3), np.float32)
    np.add.at(right, ids, grad)
    last[ids] = grad
    first[ids[::-1]] = grad[::-1]
    for index in ((ids, ...), (ids.tolist(), ...), (ids[:, None], np.arange(3), ...)):
        same_array(
            ask(lab, "getitem", grad, x, index=index)[0],
            right,
            what=f"gradient of x for x[ids] with x of shape (4, 3) and ids = {ids.tolist()}",
            mistakes=[
                Mistake(last, "rows that were picked twice get one gradient. Add them up: np.add.at."),
                Mistake(first, "rows that were picked twice get one gradient. Add them up: np.add.at."),
                Mistake(grad, "what was not picked must get 0: the gradient has the shape of x."),
            ],
            smaller="x[[0, 0]].sum().backward() with x of shape (2,): x.grad is [2, 0]",
        )


@exercise("getitem_backward", points=1)
def test_getitem_with_a_mask(lab, draw):
    """a mask's gradients go back to where the mask is True"""
    n, m = draw.sizes(2)
    x = draw(n, m)
    mask = draw.permutation(n * m).reshape(n, m) % 2 == 0
    grad = draw(int(mask.sum()))
    right = np.zeros_like(x)
    right[mask] = grad
    same_array(
        ask(lab, "getitem", grad, x, index=(mask, ...))[0],
        right,
        what=f"gradient of x for x[mask] with x of shape {(n, m)}",
    )


@exercise("cat_backward", points=2)
def test_cat_is_cut_where_it_was_joined(lab, draw):
    """cat gives each of its inputs the stretch of the gradient that came from it"""
    n, *sizes = draw.sizes(4)
    ends = np.cumsum([0, *sizes])
    for dim in (0, 1, -1):
        arrays = [draw(size, n) if dim == 0 else draw(n, size) for size in sizes]
        grad = draw(*np.concatenate(arrays, dim).shape)
        shapes = ", ".join(str(a.shape) for a in arrays)
        for i, got in enumerate(ask(lab, "cat", grad, *arrays, dim=dim)):
            piece = slice(ends[i], ends[i + 1])
            same_array(
                got,
                grad[piece] if dim == 0 else grad[:, piece],
                what=f"gradient of input {i} for y = cat(inputs, dim={dim}), shapes {shapes}",
                mistakes=[Mistake(grad, "each input gets the whole gradient. Cut it where the inputs were joined.")],
                smaller="cat of shapes (2,) and (1,) with grad [5, 6, 7] gives [5, 6] and [7]",
            )


# ---- reductions ---------------------------------------------------------------------------------------------


@exercise("sum_backward", points=2)
def test_sum_gives_every_element_the_gradient_of_its_sum(lab, draw):
    """every element of a sum gets the gradient of that sum"""
    n = draw.choice([3, 4])
    x, grad = draw(n, n), draw(n)
    wrong_dim = "grad lines up with the wrong dimension. Put the summed one back, then broadcast."
    for dim, right, other in ((1, grad[:, None], grad), (0, grad, grad[:, None]), (-1, grad[:, None], grad)):
        same_array(
            ask(lab, "sum", grad, x, dim=dim, keepdim=False)[0],
            np.broadcast_to(right, (n, n)),
            what=told(f"gradient of x for y = x.sum({dim})", x=x, grad=grad),
            mistakes=[
                Mistake(np.broadcast_to(other, (n, n)), wrong_dim),
                Mistake(
                    np.broadcast_to(right / n, (n, n)),
                    "the gradient is split among the elements. Each moves the sum by all it moves.",
                ),
                Mistake(np.ones((n, n)), NO_CHAIN),
                Mistake(right * x, "the elements are factors here. In a sum each slope is 1."),
                Mistake(grad, "the gradient has the shape of the sum. It needs the shape of x."),
            ],
            smaller="x.sum(1) of shape (2, 3) with grad [10, 20] gives rows of 10 and of 20",
        )


@exercise("sum_backward", points=1)
def test_sum_over_any_dims(lab, draw):
    """a sum over several dimensions, over all, or with keepdim goes back as well"""
    shape = draw.sizes(3)
    x = draw(*shape)
    for dim in (None, (0, 2), (-1, 0), (1,)):
        kept = x.sum(dim, keepdims=True).shape
        for keepdim in (False, True):
            due = draw(*kept)
            # without keepdim, a sum over everything keeps no dimension at all
            grad = due if keepdim else due.reshape(x.sum(dim).shape)
            same_array(
                ask(lab, "sum", grad, x, dim=dim, keepdim=keepdim)[0],
                np.broadcast_to(due, shape),
                what=f"gradient of x for y = x.sum({dim}, keepdim={keepdim}) with x of shape {shape}",
            )


@exercise("sum_backward", points=1)
def test_mean_gives_each_element_its_share(tt, draw):
    """the mean gives each of n elements one n-th of its gradient"""
    n, m = draw.sizes(2)
    a, grad = draw(n, m), draw(n)
    x = named(tt.tensor(a, requires_grad=True), "x")
    x.mean(1).backward(tt.tensor(grad))
    right = np.broadcast_to(grad[:, None] / m, (n, m))
    same(
        x.grad,
        right,
        what=told("x.grad after x.mean(1).backward(gradient)", gradient=grad),
        mistakes=[
            Mistake(right * m, "each element of a mean holds 1/n of it: this is the gradient of the sum."),
            Mistake(right / n, "the mean over dim 1 divides by the size of dim 1 only."),
        ],
    )


@exercise("amax_backward", points=2)
def test_amax_gives_to_the_largest(lab, draw):
    """the largest elements get the gradient of a maximum, in equal shares"""
    n, m = draw.sizes(2)
    x = np.minimum(draw(n, m), 2)
    grad = draw(n)
    x[0, :2] = 2  # a tie
    top = x.max(1)
    winners = x == top[:, None]
    first = np.arange(m) == x.argmax(1)[:, None]
    each = grad[:, None] * winners
    same_array(
        ask(lab, "amax", grad, x, dim=1, keepdim=False, result=top)[0],
        each / winners.sum(1, keepdims=True),
        what=told("gradient of x for y = x.amax(1)", x=x, grad=grad),
        mistakes=[
            Mistake(each, "at a tie each of the largest gets all of it. Divide by how many there are."),
            Mistake(each / winners.sum(), "the winners are counted in the whole tensor. Count them along dim."),
            Mistake(
                grad[:, None] * first,
                "the first of several gets all of it. Here they share; it is max(dim) that chooses.",
            ),
            Mistake(winners / winners.sum(1, keepdims=True), NO_CHAIN),
        ],
        smaller="x.amax() of [1, 5, 5] with grad 8 gives [0, 4, 4]",
    )


@exercise("amax_backward", points=1)
def test_amax_over_any_dims(lab, draw):
    """amax goes back over one dimension, several, or all"""
    shape = draw.sizes(3)
    x = draw.distinct(*shape)
    for dim in (None, 0, -2, (0, 2)):
        top = x.max(dim, keepdims=True)
        due = draw(*top.shape)
        for keepdim in (False, True):
            small = x.max(dim, keepdims=keepdim)
            same_array(
                ask(lab, "amax", due.reshape(small.shape), x, dim=dim, keepdim=keepdim, result=np.asarray(small))[0],
                due * (x == top),
                what=f"gradient of x for y = x.amax({dim}, keepdim={keepdim}) with x of shape {shape}",
            )


# ---- operations that were written as one --------------------------------------------------------------------


def probabilities(scores, dim):
    """softmax in float64."""
    powers = np.exp(scores.astype(EXACT) - scores.max(dim, keepdims=True))
    return powers / powers.sum(dim, keepdims=True)


@exercise("softmax_backward", points=2)
def test_softmax_rule_compares_with_the_average(lab, draw):
    """softmax gives each score y times what its gradient exceeds the average by"""
    n, m = draw.sizes(2)
    for shape, dim in (((m,), 0), ((n, m), 1), ((n, m), 0), ((n, m, 2), -2)):
        x, grad = draw(*shape), draw(*shape)
        y = probabilities(x, dim)
        average = (grad * y).sum(dim, keepdims=True)
        same_array(
            ask(lab, "softmax", grad, x, dim=dim, result=y.astype(np.float32))[0],
            y * (grad - average),
            dtype=np.float32,
            what=told(f"gradient of x for y = softmax(x, dim={dim}) of shape {shape}", grad=grad),
            mistakes=[
                Mistake(
                    y * (1 - y) * grad, "this is the rule of sigmoid. Each score moves all probabilities of its slice."
                ),
                Mistake(y * grad, "the average is missing: y · (grad - sum of grad · y)."),
                Mistake(y * (grad - (grad * y).sum()), "the sum runs over the whole tensor. Along dim, and keep it."),
                Mistake(y * (grad - grad.sum(dim, keepdims=True)), "the sum is not weighted: sum of grad · y."),
                Mistake(y * (grad - grad.mean(dim, keepdims=True)), "the average is not weighted by y."),
            ],
            smaller="softmax([0, 0]) with grad [8, 4] gives 0.5 * (8 - 6) = 1 and -1",
        )


@exercise("softmax_backward", points=1)
def test_softmax_passes_gradients_back(tt, draw):
    """the gradient of softmax is right all the way"""
    n, m = draw.sizes(2)
    a, grad = draw(n, m), draw(n, m)
    x = named(tt.tensor(a, requires_grad=True), "x")
    tt.softmax(x, dim=-1).backward(tt.tensor(grad))
    y = probabilities(a, -1)
    right = y * (grad - (grad * y).sum(-1, keepdims=True))
    same(x.grad, right, dtype=np.float32, what=told("x.grad after softmax(x).backward(gradient)", x=a, gradient=grad))


@exercise("log_softmax_backward", points=2)
def test_log_softmax_rule_takes_a_share_of_the_sum(lab, draw):
    """log_softmax takes from each gradient its probability's share of their sum"""
    n, m = draw.sizes(2)
    for shape, dim in (((m,), 0), ((n, m), 1), ((n, m), 0)):
        x, grad = draw(*shape), draw(*shape)
        p = probabilities(x, dim)
        logs = np.log(p).astype(np.float32)
        total = grad.sum(dim, keepdims=True)
        same_array(
            ask(lab, "log_softmax", grad, x, dim=dim, result=logs)[0],
            grad - p * total,
            dtype=np.float32,
            what=told(f"gradient of x for y = log_softmax(x, dim={dim}) of shape {shape}", grad=grad),
            mistakes=[
                Mistake(
                    grad - logs * total, "the saved result is the logarithm. The probabilities are its exponential."
                ),
                Mistake(grad - p * grad.sum(), "the sum runs over the whole tensor. Along dim, and keep it."),
                Mistake(grad - p * grad, "the sum is missing: every gradient of the slice counts."),
                Mistake(p * (grad - (grad * p).sum(dim, keepdims=True)), "this is the rule of softmax."),
            ],
            smaller="log_softmax([0, 0]) with grad [8, 4] gives 8 - 0.5 * 12 = 2 and -2",
        )


@exercise("log_softmax_backward", points=1)
def test_log_softmax_passes_gradients_back(tt, draw):
    """the gradient of log_softmax is right all the way"""
    n, m = draw.sizes(2)
    a, grad = draw(n, m), draw(n, m)
    x = named(tt.tensor(a, requires_grad=True), "x")
    tt.log_softmax(x, dim=0).backward(tt.tensor(grad))
    right = grad - probabilities(a, 0) * grad.sum(0)
    what = told("x.grad after log_softmax(x, dim=0).backward(gradient)", x=a, gradient=grad)
    same(x.grad, right, dtype=np.float32, what=what)


@exercise("cross_entropy_backward", points=2)
def test_cross_entropy_rule_is_softmax_minus_target(lab, draw):
    """the gradient of cross-entropy is softmax minus target"""
    n, c = draw.sizes(2)
    x, ids, grad = draw(n, c), draw.integers(0, c, n), draw(n)
    p = probabilities(x, 1)
    target = np.arange(c) == ids[:, None]
    shifted = np.exp(x - 1)  # any shift cancels
    for smoothing in (0.0, 0.3):
        due = (1 - smoothing) * target + smoothing / c
        saved = {"ids": ids, "label_smoothing": smoothing, "softmax": (shifted, shifted.sum(1))}
        same_array(
            ask(lab, "cross_entropy", grad, x, **saved)[0],
            grad[:, None] * (p - due),
            dtype=np.float32,
            what=told(f"gradient of the scores, label_smoothing={smoothing}", x=x, ids=ids, grad=grad),
            mistakes=[
                Mistake(grad[:, None] * p, "this is the softmax. The target is to be subtracted from it."),
                Mistake(grad[:, None] * (due - p), "this is target minus softmax: the other way round."),
                Mistake(p - due, NO_CHAIN),
                Mistake(
                    grad[:, None] * (p - due) / n,
                    "the mean is divided by in `reduce`, which has its own rules. grad holds it already.",
                ),
                Mistake(grad[:, None] * (p - target), "label_smoothing is not looked at."),
                Mistake(
                    grad[:, None] * (p - (1 - smoothing) * target), "the share e / C that every class gets is missing."
                ),
                Mistake(
                    grad[:, None] * (p - target - smoothing / c), "the right class keeps 1. It gives e away: 1 - e."
                ),
                Mistake(grad[:, None] * (shifted - due), "the powers are not divided by their total."),
            ],
            smaller="two equal scores and the right class 1: [0.5, 0.5] - [0, 1] = [0.5, -0.5]",
        )


@exercise("cross_entropy_backward", points=2)
def test_cross_entropy_passes_gradients_back(tt, draw):
    """the gradient of CrossEntropyLoss is right all the way, with padding left out"""
    n, c = draw.sizes(2)
    a, ids = draw(n, c), draw.integers(0, c, n)
    x = named(tt.tensor(a, requires_grad=True), "x")
    tt.CrossEntropyLoss()(x, tt.tensor(ids)).backward()
    right = (probabilities(a, 1) - (np.arange(c) == ids[:, None])) / n
    same(
        x.grad,
        right,
        dtype=np.float32,
        what=told("x.grad after CrossEntropyLoss()(x, ids).backward()", x=a, ids=ids),
        mistakes=[Mistake(right * n, "this is the gradient of the sum. Under 'mean' each row counts 1/n.")],
    )
    padded = np.where(np.arange(n) == draw.choice(range(n)), -100, ids)
    y = named(tt.tensor(a, requires_grad=True), "x")
    tt.CrossEntropyLoss()(y, tt.tensor(padded)).backward()
    kept = right * n / (n - 1) * (padded != -100)[:, None]
    same(y.grad, kept, dtype=np.float32, what=told("x.grad after CrossEntropyLoss()(x, ids).backward()", ids=padded))


@exercise("binary_cross_entropy_with_logits_backward", points=1)
def test_backward_of_bce_with_logits_rule_is_probability_minus_target(lab, draw):
    """the gradient of a score's binary loss is probability minus target"""
    x, t, grad = draw(4), draw.uniform(0, 1, 4), draw(4)
    p = 1 / (1 + np.exp(-x.astype(EXACT)))
    to_x, to_t = ask(lab, "binary_cross_entropy_with_logits", grad, x, t)
    same_array(
        to_x,
        grad * (p - t),
        dtype=np.float32,
        what=told("gradient of x for BCEWithLogitsLoss(reduction='none')(x, t)", x=x, t=t, grad=grad),
        mistakes=[
            Mistake(grad * (t - p), "this is target minus probability: the other way round."),
            Mistake(grad * (x - t), "the score stands where its sigmoid is due."),
            Mistake(p - t, NO_CHAIN),
            Mistake(grad * (p - t) * p * (1 - p), "the slope of sigmoid is one factor too much: it cancels."),
            Mistake(
                grad * (p - t) / (p * (1 - p)),
                "this is the gradient of the probability. The score's has no denominator.",
            ),
            Mistake(grad * p, "the target is not subtracted."),
        ],
        smaller="score 0, target 1: 0.5 - 1 = -0.5",
    )
    same_array(
        to_t, -grad * x, what=told("gradient of t for BCEWithLogitsLoss(reduction='none')(x, t)", x=x, grad=grad)
    )


@exercise("binary_cross_entropy_with_logits_backward", points=1)
def test_backward_of_bce_with_logits_passes_gradients_of_large_scores(tt, draw):
    """the gradient of BCEWithLogitsLoss stays finite at large scores, without a warning"""
    a = draw(4) + np.float32([-200, 200, -1e4, 1e4])
    t = np.float32([0, 1, 1, 0])
    order = draw.permutation(4)
    with calm(tt):
        x = named(tt.tensor(a[order], requires_grad=True), "x")
        tt.BCEWithLogitsLoss(reduction="sum")(x, tt.tensor(t[order])).backward()
        same(
            x.grad,
            np.float32([0, 0, -1, 1])[order],
            what=told("x.grad after BCEWithLogitsLoss(reduction='sum')(x, t).backward()", x=a[order], t=t[order]),
            mistakes=[
                Mistake(
                    np.float32([0, np.nan, -1, np.nan])[order], "inf / inf is nan. 1 / (1 + exp(-x)) has no such case."
                )
            ],
        )


def normal_rows(x):
    """Mean, inverse deviation and normalised rows, in float64."""
    x = x.astype(EXACT)
    mean = x.mean(1, keepdims=True)
    rstd = 1 / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    return mean, rstd, (x - mean) * rstd


@exercise("layer_norm_backward", points=2)
def test_layer_norm_rule_of_input_weight_and_bias(lab, draw):
    """layer_norm takes away what raises or stretches all features alike"""
    n, d = draw.choice([3, 4]), draw.choice([5, 6])
    x, w, b, grad = draw.distinct(n, d), draw(d), draw(d), draw(n, d)
    mean, rstd, normal = normal_rows(x)
    g = grad * w.astype(EXACT)
    level, along = g.mean(1, keepdims=True), (g * normal).mean(1, keepdims=True)
    saved = {"mean": mean.astype(np.float32), "rstd": rstd.astype(np.float32)}
    to_x, to_w, to_b = ask(lab, "layer_norm", grad, x, w, b, **saved)
    same_array(
        to_x,
        rstd * (g - level - normal * along),
        dtype=np.float32,
        rtol=1e-4,
        atol=1e-4,
        what=told("gradient of x for LayerNorm", x=x, weight=w, grad=grad),
        mistakes=[
            Mistake(rstd * g, "both averages are missing: the mean and the variance move with x, too."),
            Mistake(rstd * (g - level), "the second average is missing: stretching all features changes nothing."),
            Mistake(rstd * (g - normal * along), "the first average is missing: raising all features changes nothing."),
            Mistake(
                rstd * (grad - grad.mean(1, keepdims=True) - normal * (grad * normal).mean(1, keepdims=True)),
                "the weight is left out: g = grad · weight.",
            ),
            Mistake(g - level - normal * along, "the factor rstd is missing."),
        ],
    )
    same_array(
        to_w,
        (grad * normal).sum(0),
        dtype=np.float32,
        rtol=1e-4,
        atol=1e-4,
        what=told("gradient of the weight for LayerNorm", x=x, grad=grad),
        mistakes=[
            Mistake((grad * x).sum(0), "the weight multiplies the normalised rows, not x."),
            Mistake((g * normal).sum(0), "the weight's own gradient does not hold the weight: grad · n, not g · n."),
            Mistake((grad * normal).mean(0), "the samples are averaged. Each of them used the weight: sum."),
        ],
    )
    same_array(
        to_b,
        grad.sum(0),
        what=told("gradient of the bias for LayerNorm", grad=grad),
        mistakes=[Mistake(g.sum(0), "the bias is added after the weight: its gradient is the sum of grad.")],
    )


@exercise("layer_norm_backward", points=1)
def test_layer_norm_passes_gradients_back(tt, draw):
    """the gradient of LayerNorm is right all the way, for inputs of three dimensions"""
    shape = (2, draw.choice([2, 3]), draw.choice([4, 5]))
    a, grad = draw.distinct(*shape), draw(*shape)
    _, rstd, normal = normal_rows(a.reshape(-1, shape[-1]))
    g = grad.reshape(normal.shape)
    right = rstd * (g - g.mean(1, keepdims=True) - normal * (g * normal).mean(1, keepdims=True))
    for affine in (True, False):
        x = named(tt.tensor(a, requires_grad=True), "x")
        tt.LayerNorm(shape[-1], elementwise_affine=affine)(x).backward(tt.tensor(grad))
        same(
            x.grad,
            right.reshape(shape),
            dtype=np.float32,
            rtol=1e-4,
            atol=1e-4,
            what=f"x.grad after LayerNorm({shape[-1]}, elementwise_affine={affine})(x).backward(...), x {shape}",
        )


# ---- no_grad ------------------------------------------------------------------------------------------------


def recorded(kinds, a):
    """Whether a product requires a gradient inside each of these blocks."""
    x = tt.tensor(a, requires_grad=True)
    blocks = {"no_grad": tt.no_grad, "enable_grad": tt.enable_grad}
    found = []
    for outer, inner in kinds:
        with blocks[outer](), blocks[inner]():
            y = x * x
            found.append([y.requires_grad, y.grad_fn is not None])
    return found, y.data


@exercise("no_grad.__enter__", points=2)
def test_no_grad_switches_the_record_off(lab, draw):
    """inside no_grad nothing is recorded, inside enable_grad everything is"""
    names = ["no_grad", "enable_grad"]
    kinds = [(names[draw.choice([0, 1])], names[i]) for i in draw.permutation(6) % 2]
    a = draw(3)
    found, squares = lab(recorded, kinds, a)
    right = [[inner == "enable_grad"] * 2 for _, inner in kinds]
    same(
        found,
        right,
        what=f"[requires_grad, has grad_fn] of x * x inside {', '.join('/'.join(pair) for pair in kinds)}",
        mistakes=[
            Mistake([[True, True]] * 6, "the switch is not set: grad_mode.enabled = self.recording."),
            Mistake([[False, False]] * 6, "enable_grad switches off as well. Set the switch to self.recording."),
            Mistake([[not flag, not flag] for flag, _ in right], "the switch is set the wrong way round."),
        ],
    )
    same_array(squares, a * a, what=told("x * x inside the block", x=a))


def decorated(a):
    """What a decorated function's result records, at every depth of its recursion, and what comes after it."""
    x, seen = tt.tensor(a, requires_grad=True), []

    def halve(depth):
        seen.append((x * x).requires_grad)
        if depth:
            halve(depth - 1)
        seen.append((x * x).requires_grad)

    halve = tt.no_grad()(halve)
    halve(2)
    with tt.no_grad():
        tt.enable_grad()(lambda: seen.append((x * x).requires_grad))()
        seen.append((x * x).requires_grad)
    return seen, x * x


@exercise("no_grad.__enter__", points=1)
def test_no_grad_as_a_decorator(lab, draw):
    """no_grad above a function switches the record off while it runs"""
    a = draw(3)
    seen, after = lab(decorated, a)
    same(
        seen, [False] * 6 + [True, False], what="requires_grad of x * x in the function, in enable_grad, and behind it"
    )
    same(after, a * a, what=told("x * x behind the function", x=a))
    same(
        [after.requires_grad, *seen[:2]], [True, False, False], what="requires_grad behind the function, and inside it"
    )


def nested(blocks, a):
    """Whether a product is recorded after each of the blocks that lie within each other, from the inside out."""
    x, found = tt.tensor(a, requires_grad=True), []

    def inside(blocks):
        if blocks:
            (off, fails), *rest = blocks
            try:
                with (tt.no_grad if off else tt.enable_grad)():
                    inside(rest)
                    if fails:
                        raise KeyError(0)
            except KeyError:
                pass
            found.append((x * x).requires_grad)

    inside(blocks)
    return found


@exercise("no_grad.__exit__", points=2)
def test_no_grad_restores_what_was_before(lab, draw):
    """the end of a block restores what was before it, however it ends, also within other blocks"""
    kinds = [True, *(bool(flag) for flag in draw.permutation(6) % 2)]
    fails = [bool(flag) for flag in draw.permutation(7) % 2]  # some blocks end with an error
    right = [*(not kind for kind in reversed(kinds[:-1])), True]
    same(
        lab(nested, [*zip(kinds, fails, strict=True)], draw(2)),
        right,
        what=f"requires_grad after each end of {', '.join('no_grad' if kind else 'enable_grad' for kind in kinds)}",
        mistakes=[
            Mistake([True] * 7, "every end switches the record on. Restore what was before, which may be off."),
            Mistake([not kinds[-1]] * 7, "the end of a block restores nothing."),
        ],
        smaller="with no_grad(): with no_grad(): pass; here it must still be off",
    )


def interrupted(a, word):
    """What leaves a block in which an error is raised, and whether a product is recorded afterwards."""
    x, said = tt.tensor(a, requires_grad=True), "nothing"
    try:
        with tt.no_grad():
            inside = (x * x).requires_grad
            raise ValueError(word)
    except ValueError as error:
        said = str(error)
    return [said, inside, (x * x).requires_grad]


@exercise("no_grad.__exit__", points=1)
def test_no_grad_ends_with_an_error_as_well(lab, draw):
    """an error leaves the block, and the record is on again"""
    word = f"error {draw.choice(range(100, 1000))}"
    same(
        lab(interrupted, draw(2), word),
        [word, False, True],
        what="the error that came out of no_grad, requires_grad inside, requires_grad afterwards",
        mistakes=[Mistake(["nothing", False, True], "the error was swallowed. __exit__ returns nothing, or False.")],
    )


# ---- numerical_gradient -------------------------------------------------------------------------------------


def measured(a, coefficients, eps):
    """The measured slopes of a cubic, and whether the array holds what it held: how many elements differ."""
    x = a.copy()

    def total():
        return float((coefficients * x * x * x).sum())

    slopes = tt.numerical_gradient(total, x, eps)
    return slopes, int((x != a).sum())


@exercise("numerical_gradient", points=2)
def test_numerical_gradient_measures_slopes(lab, draw):
    """numerical_gradient measures the slope along every element, from both sides"""
    n, m = draw.sizes(2)
    a, c = draw(n, m).astype(EXACT), draw(n, m).astype(EXACT)
    eps = 0.25  # so large that one side differs from both
    slopes, changed = lab(measured, a, c, eps)
    right = c * (3 * a * a + eps * eps)
    rise = c * (3 * a * a + 3 * a * eps + eps * eps)
    same_array(
        slopes,
        right,
        dtype=EXACT,
        rtol=1e-9,
        atol=1e-9,
        what=f"numerical_gradient of sum(c * x * x * x) with eps = {eps}, x of shape {(n, m)}",
        mistakes=[
            Mistake(rise, "this is the slope to one side, f(x + eps) - f(x). Both sides: its error falls with eps²."),
            Mistake(right * 2, "the two points lie 2 · eps apart: divide by that, not by eps."),
            Mistake(right * 2 * eps, "the difference is not divided by 2 · eps."),
            Mistake(-right, "the sign is reversed: up minus down."),
        ],
        smaller="x * x at 3: ((3 + eps)^2 - (3 - eps)^2) / (2 * eps) = 6",
    )
    same(changed, 0, what="how many elements of x were not put back")


@exercise("numerical_gradient", points=1)
def test_numerical_gradient_puts_everything_back(lab, draw):
    """numerical_gradient leaves x exactly as it was"""
    # a tiny number drowns in eps: adding eps again does not bring it back
    a, c = draw.rng.uniform(-1, 1, (3, 5)) * 10.0 ** -draw.integers(0, 12, 3, 5), draw(3, 5).astype(EXACT)
    slopes, changed = lab(measured, a, c, 1e-6)
    same_array(
        slopes, 3 * c * a * a, dtype=EXACT, rtol=1e-4, atol=1e-6, what="numerical_gradient of sum(c * x * x * x)"
    )
    same(
        changed,
        0,
        what="how many of the 15 elements of x differ from what they were",
        mistakes=[Mistake(15, "x is left changed. Keep the element before you move it, and put it back.")],
    )


# ---- gradcheck ----------------------------------------------------------------------------------------------


def verdicts(a, b, flaws):
    """What gradcheck says of products whose rule has these flaws, and what backward gives for the right rule."""

    def rule(grad, x, w, flaw):
        to_x, to_w = grad * w.data, grad * x.data
        element, number = to_x.copy(), to_w.copy()
        element[1, 2] += 0.01
        number[1, 2] = np.nan
        return {
            "sign": (to_x, -to_w),
            "element": (element, to_w),
            "order": (np.roll(to_x, 1, 1), to_w),
            "nan": (to_x, number),
            "none": (None, to_w),
        }.get(flaw, (to_x, to_w))

    function = tt.autograd.Function
    function.rules["check_product"] = rule

    def product(x, w, flaw="right"):
        y = x * w
        if y.grad_fn is not None:
            y.grad_fn = function("check_product", (x, w), {"flaw": flaw})
        return y

    def verdict(flaw):
        x, w = (tt.tensor(n, dtype=np.float64, requires_grad=True) for n in (a, b))
        try:
            return str(tt.gradcheck(lambda x, w: product(x, w, flaw), (x, w)))
        except NotImplementedError:
            raise
        except RuntimeError:
            return "RuntimeError"

    told = [verdict(flaw) for flaw in flaws]
    x = tt.tensor(a, dtype=np.float64, requires_grad=True)
    product(x, tt.tensor(b, dtype=np.float64)).backward(tt.tensor(np.ones_like(a), dtype=np.float64))
    return told, x.grad.data


@exercise("gradcheck", points=3)
def test_gradcheck_accepts_right_rules_only(lab, draw):
    """gradcheck accepts right gradients, and refuses those that are wrong anywhere"""
    a, b = draw.distinct(3, 4).astype(EXACT), np.ones((3, 4)) * draw(1).astype(EXACT)
    flaws = ["right", "sign", "element", "nan", "none", "right"]
    flaws = [flaws[i] for i in draw.permutation(6)]
    right = ["True" if flaw == "right" else "RuntimeError" for flaw in flaws]
    loose = ["True" if flaw in {"right", "nan"} else "RuntimeError" for flaw in flaws]
    told_of, grad = lab(verdicts, a, b, flaws)
    same_array(grad, b, dtype=EXACT, what="x.grad after (x * w).backward(ones)")
    same(
        told_of,
        right,
        what=f"gradcheck of rules that are: {', '.join(flaws)}",
        mistakes=[
            Mistake(
                loose, "nan passes: it is neither more nor less than any bound. Ask for <=, and refuse what is not."
            ),
            Mistake(["True"] * 6, "nothing is refused."),
            Mistake(["RuntimeError"] * 6, "right rules are refused, too."),
            Mistake(
                ["True" if flaw in {"right", "sign", "nan"} else "RuntimeError" for flaw in flaws],
                "only the first input is looked at.",
            ),
        ],
    )


@exercise("gradcheck", points=1)
def test_gradcheck_tells_elements_apart(lab, draw):
    """gradcheck notices gradients that are exchanged, because each result has a weight of its own"""
    a, b = draw.distinct(3, 4).astype(EXACT), np.full((3, 4), float(draw()))
    flaws = [["right", "order"][i] for i in draw.permutation(4) % 2]
    told_of, grad = lab(verdicts, a, b, flaws)
    same_array(grad, b, dtype=EXACT, what="x.grad after (x * w).backward(ones)")
    same(
        told_of,
        ["True" if flaw == "right" else "RuntimeError" for flaw in flaws],
        what=f"gradcheck of rules that are: {', '.join(flaws)} (order: the gradients of a row are exchanged)",
        mistakes=[
            Mistake(
                ["True"] * 4, "all results count alike, so exchanged gradients add up to the same. Give them weights."
            )
        ],
    )


def reported(a, place):
    """What gradcheck says of a right function and of a wrong gradient of its second input; what it leaves behind."""

    def rule(grad, x, w):
        to_w = grad * x.data
        to_w[place] = 0
        return grad * w.data, to_w

    function = tt.autograd.Function
    function.rules["check_second"] = rule

    def product(x, w):
        y = x * w
        if y.grad_fn is not None:
            y.grad_fn = function("check_second", (x, w), {})
        return y

    x, w = (tt.tensor(a, dtype=np.float64, requires_grad=True) for _ in range(2))
    x.grad = tt.tensor(a, dtype=np.float64)
    fine = str(tt.gradcheck(lambda x, w: x * w, (x, w)))
    said = "nothing"
    try:
        tt.gradcheck(product, (x, w))
    except NotImplementedError:
        raise
    except RuntimeError as error:
        said = str(error)
    return [fine, str(tuple(place)) in said, "1" in said.split("(")[0]], x.data, x.grad.data


def after_a_constant(a, b, flaws):
    """What gradcheck says of slopes of a hundredth, of which one is twice what it should be; what backward gives."""

    def slopes(grad, x, constant, flaw):
        to_x = grad * 0.01
        to_x[0] *= 1 + flaw
        return to_x, None

    tt.autograd.Function.rules["check_small"] = slopes

    def function(constant, x, flaw):
        y = x * 0.01 + constant * 0
        if y.grad_fn is not None:
            y.grad_fn = tt.autograd.Function("check_small", (x, constant), {"flaw": flaw})
        return y

    def verdict(flaw):
        constant, x = (tt.tensor(a, dtype=np.float64, requires_grad=needs) for needs in (False, True))
        try:
            return str(tt.gradcheck(lambda constant, x: function(constant, x, flaw), (constant, x)))
        except NotImplementedError:
            raise
        except RuntimeError:
            return "RuntimeError"

    told = [verdict(flaw) for flaw in flaws]
    constant, x = (tt.tensor(a, dtype=np.float64, requires_grad=needs) for needs in (False, True))
    function(constant, x, 0).backward(tt.tensor(b, dtype=np.float64))
    return told, x.grad.data


@exercise("gradcheck", points=1)
def test_gradcheck_measures_small_slopes(lab, draw):
    """gradcheck notices errors of small slopes, also of an input that comes after a constant"""
    a, b = draw(3).astype(EXACT), draw(3).astype(EXACT)
    flaws = [int(i) for i in draw.permutation(4) % 2]
    told_of, grad = lab(after_a_constant, a, b, flaws)
    same_array(grad, 0.01 * b, dtype=EXACT, what="x.grad after (x / 100 + 0 * constant).backward(b)")
    same(
        told_of,
        ["RuntimeError" if flaw else "True" for flaw in flaws],
        what="gradcheck((constant, x)) of x / 100 + 0 * constant, with rules whose slopes are times "
        f"{[1 + f for f in flaws]}",
        mistakes=[
            Mistake(
                ["True"] * 4,
                "nothing is refused: the allowance is atol + rtol · |measured|, and every input that requires a "
                "gradient counts.",
            )
        ],
    )


@exercise("gradcheck", points=1)
def test_gradcheck_says_where(lab, draw):
    """gradcheck says which input is wrong and where, and leaves everything as it was"""
    a = draw(3, 4).astype(EXACT)
    place = (draw.choice([1, 2]), draw.choice([0, 1, 3]))
    said, data, grad = lab(reported, a, place)
    same_array(data, a, dtype=EXACT, what="x.data after gradcheck")
    same_array(grad, a, dtype=EXACT, what="x.grad after gradcheck")
    what = f"gradcheck of x * w; whether its message about a wrong rule names the place {place}, and input 1 before it"
    same(said, ["True", True, True], what=what)


def checked(inputs):
    """What gradcheck says of the sum of the squares of its inputs, given alone or as a list."""
    return [
        str(tt.gradcheck(lambda *xs: sum(x * x for x in xs), given)) for given in (inputs[0], inputs, tuple(inputs))
    ]


@exercise("gradcheck", points=1)
def test_gradcheck_refuses_single_precision(lab, tt, draw):
    """gradcheck refuses float32, in which slopes cannot be measured, where a gradient is required"""
    a = draw(3)
    raises(ValueError, lambda: lab(checked, [tt.tensor(a, requires_grad=True)]), mentions=["float32"])
    constant, double = tt.tensor(a), tt.tensor(a, dtype=EXACT, requires_grad=True)
    same(lab(checked, [double, constant]), ["True"] * 3, what="gradcheck of sums of squares, float64 and a constant")
    same_array(double.data, a, dtype=EXACT, what="x.data after gradcheck")
