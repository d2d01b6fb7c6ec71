"""Checkpoint 13: transformers."""

from __future__ import annotations

import math

import numpy as np

from pytest_tinytorch.checking import Mistake, calm, exercise, named, raises, same, same_array, tensor_data, unchanged

FIRST_PLACE = "the token was chosen at the first place. What comes next is asked at the last one: logits[:, -1]."
LAST_ID_ONLY = "the model was shown the last id alone. It reads all that was written so far, up to max_len."
FIRST_IDS = "the model was shown the first max_len ids. Those at the end count: ids[:, -max_len:]."
WITH_DROPOUT = "dropout was on while the model wrote. Call eval() before the loop."
ZERO_FOR_FORBIDDEN = "the others got the score 0, and exp(0) is 1: they can still be drawn. Forbidden is -inf."
NO_TEMPERATURE = "the temperature changed nothing. Divide the scores by it, or multiply the noise with it."
TIMES_TEMPERATURE = "the scores were multiplied with the temperature. Divide: below 1, large scores become larger."
ALWAYS_THE_LARGEST = (
    "the largest score won every time. That is temperature 0, or one draw for all rows. Each row draws for itself."
)
UNHEARD_MASK = "the mask was not handed to attention: attention(norm1(x), attn_mask=attn_mask)."
SEES_THE_FUTURE = "a token saw the ones behind it: is_causal=True."


# ---- the judge's own transformer ------------------------------------------------------------------------


def linear(i, o):
    """Shapes of a Linear layer's parameters."""
    return {"weight": (i, o), "bias": (o,)}


def put(prefix, shapes):
    """The same shapes under a longer name."""
    return {f"{prefix}.{name}": shape for name, shape in shapes.items()}


def attention_shapes(d):
    """Shapes of a MultiHeadAttention's parameters."""
    return {k: v for part in ("query", "key", "value", "out") for k, v in put(part, linear(d, d)).items()}


def norm_shapes(d):
    """Shapes of a LayerNorm's parameters."""
    return {"weight": (d,), "bias": (d,)}


def block_shapes(d, cross=False):
    """Names and shapes of the parameters of a block of width d, in order."""
    shapes = put("norm1", norm_shapes(d)) | put("attention", attention_shapes(d))
    if cross:
        shapes |= put("norm_cross", norm_shapes(d)) | put("cross_attention", attention_shapes(d))
    shapes |= put("norm2", norm_shapes(d))
    return shapes | put("feed_forward.up", linear(d, 4 * d)) | put("feed_forward.down", linear(4 * d, d))


def gpt_shapes(vocab, d, layers, longest):
    """Names and shapes of the parameters of a GPT, in order."""
    shapes = {"tokens.weight": (vocab, d), "positions.weight": (longest, d)}
    for i in range(layers):
        shapes |= put(f"blocks.{i}", block_shapes(d))
    return shapes | put("norm", norm_shapes(d)) | {"head.weight": (d, vocab)}


def numbers(draw, shapes):
    """Random parameters: large enough for every branch to matter."""
    return {name: draw.normal(*shape) * np.float32(0.5) for name, shape in shapes.items()}


def listed(shapes):
    """Names and shapes, one text each."""
    return [f"{name} {shape}" for name, shape in shapes.items()]


def below(p, prefix):
    """The parameters of one part."""
    return {name[len(prefix) + 1 :]: a for name, a in p.items() if name.startswith(f"{prefix}.")}


def dense(p, x):
    """A Linear layer."""
    return x @ np.float64(p["weight"]) + p.get("bias", 0)


def normed(p, x):
    """A LayerNorm."""
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * p["weight"] + p["bias"]


def bent(x):
    """GELU in the tanh form."""
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def probabilities(x):
    """Softmax of the last dimension."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def looked(p, x, heads, memory=None, mask=None):
    """Multi-head attention of x (B, T, D) to itself or to a memory; mask (T, S)."""
    memory = x if memory is None else memory

    def split(y):
        return y.reshape(*y.shape[:2], heads, -1).swapaxes(1, 2)

    q = split(dense(below(p, "query"), x))
    k, v = (split(dense(below(p, name), memory)) for name in ("key", "value"))
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
    weights = probabilities(scores if mask is None else np.where(mask, scores, -np.inf))
    return dense(below(p, "out"), (weights @ v).swapaxes(1, 2).reshape(x.shape))


def thought(p, x):
    """The feed-forward network."""
    return dense(below(p, "down"), bent(dense(below(p, "up"), x)))


def n1(b, x):
    """The first norm of a block b = (parameters, heads)."""
    return normed(below(b[0], "norm1"), x)


def nc(b, x):
    """The norm before cross-attention."""
    return normed(below(b[0], "norm_cross"), x)


def n2(b, x):
    """The second norm."""
    return normed(below(b[0], "norm2"), x)


def look(b, x, mask=None):
    """Attention to itself."""
    return looked(below(b[0], "attention"), x, b[1], mask=mask)


def back(b, x):
    """Attention to itself that sees no future."""
    return look(b, x, np.tri(x.shape[1], dtype=bool))


def across(b, x, memory, mask=None, part="cross_attention"):
    """Attention to another text."""
    return looked(below(b[0], part), x, b[1], memory, mask)


def think(b, x):
    """The feed-forward network."""
    return thought(below(b[0], "feed_forward"), x)


def encoder(b, x, mask=None):
    """The whole encoder block."""
    a = x + look(b, n1(b, x), mask)
    return a + think(b, n2(b, a))


def decoder(b, x, memory=None):
    """The whole decoder block."""
    a = x + back(b, n1(b, x))
    if memory is not None:
        a = a + across(b, nc(b, a), memory)
    return a + think(b, n2(b, a))


def gpt(draw, vocab, d, heads, layers, longest):
    """The sizes of a GPT, as its constructor takes them, and random parameters that make it listen to what it reads."""
    p = numbers(draw, gpt_shapes(vocab, d, layers, longest))
    for name, factor in (("tokens.weight", 4), ("positions.weight", 2), ("norm.weight", 2), ("norm.bias", 0.2)):
        p[name] *= np.float32(factor)
    return (vocab, d, heads, layers, longest), p


def logits(net, ids, layers=None):
    """(B, T) -> (B, T, V); with fewer layers, if asked for."""
    (_, _, heads, all_layers, _), p = net
    x = np.float64(p["tokens.weight"])[ids] + p["positions.weight"][: ids.shape[1]]
    for i in range(all_layers if layers is None else layers):
        x = decoder((below(p, f"blocks.{i}"), heads), x)
    return dense(below(p, "head"), normed(below(p, "norm"), x))


def write(net, ids, count, place=-1, seen=None, layers=None):
    """The ids and the likeliest ones behind them."""
    return follow(net, ids, count, place, seen, layers)[0]


def follow(net, ids, count, place=-1, seen=None, layers=None):
    """The ids and the likeliest ones behind them, and the smallest lead that one of them had."""
    lead = math.inf
    for _ in range(count):
        shown = ids[:, -net[0][4] :] if seen is None else seen(ids)
        scores = logits(net, shown, layers)[:, place]
        best = np.sort(scores, -1)
        lead = min(lead, float((best[:, -1] - best[:, -2]).min()))
        ids = np.concatenate([ids, scores.argmax(-1)[:, None]], 1)
    return ids, lead


def prompted(draw, sizes, batch, time, count, *slips):
    """A GPT and a prompt such that rounding decides nothing, and each of these slips writes something else."""
    for _ in range(60):
        net, ids = gpt(draw, *sizes), draw.integers(0, sizes[0], batch, time)
        text, lead = follow(net, ids, count)
        if lead > 0.01 and not any(np.array_equal(text, write(net, ids, count, **slip)) for slip in slips):
            break
    return net, ids


def made(tt, net, dropout=0.0):
    """The student's model with the same parameters."""
    model = named(tt.GPT(*net[0], dropout=dropout), "model")
    model.load_state_dict(net[1])
    return model


def width(draw):
    """A width and a number of heads that divides it."""
    heads = int(draw.choice([2, 3]))
    return heads * int(draw.choice([2, 4])), heads


def loaded(layer, name, p):
    """A layer with these parameters, and a name for reports."""
    layer = named(layer, name)
    layer.load_state_dict(p)
    return layer


def numeric(fn, x, grad, h=1e-5):
    """The gradient of sum(grad * fn(x)), by raising and lowering each number of x."""
    x = np.float64(x)
    slopes = np.zeros(x.size)
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = h
        step = step.reshape(x.shape)
        slopes[i] = ((fn(x + step) - fn(x - step)) * grad).sum() / (2 * h)
    return slopes.reshape(x.shape)


def zeros_in(y, shape):
    """Where a result is 0; nowhere, if it has another shape: `same` will say so."""
    data = tensor_data(y)
    return data == 0 if data.shape == shape else np.zeros(shape, bool)


def numbered(things):
    """For each thing the place of the first one that equals it: the same list for the same pattern."""
    flat = [np.asarray(thing).tolist() for thing in things]
    return [flat.index(thing) for thing in flat]


def input_slopes(kind, args, p, arrays, grad):
    """A layer's inputs' gradients, and how many of its parameters have got one."""
    layer = getattr(tt, kind)(*args)
    layer.load_state_dict(p)
    inputs = [tt.tensor(a, requires_grad=True) for a in arrays]
    layer(*inputs).backward(tt.tensor(grad))
    missing = [name for name, parameter in layer.named_parameters() if parameter.grad is None]
    return [np.zeros(x.shape) if x.grad is None else x.grad.data for x in inputs], missing


def shapes_of(kind, args, options):
    """Names and shapes of a layer's parameters, each parameter once."""
    layer = getattr(tt, kind)(*args, **options)
    return [f"{name} {tuple(parameter.shape)}" for name, parameter in layer.named_parameters()]


# ---- FeedForward ------------------------------------------------------------------------------------------


@exercise("FeedForward.__init__", points=1)
def test_feed_forward_is_four_times_as_wide_inside(lab, draw):
    """FeedForward widens to four times the width, or to d_hidden where it is given"""
    d, other = draw.sizes(2)
    d, other = d + 1, other + 30
    for hidden, options in ((4 * d, {}), (other, {"d_hidden": other})):
        right = put("up", linear(d, hidden)) | put("down", linear(hidden, d))
        flat = put("up", linear(d, d)) | put("down", linear(d, d))
        deaf = put("up", linear(d, 4 * d)) | put("down", linear(4 * d, d))
        same(
            lab(shapes_of, "FeedForward", [d], options),
            listed(right),
            what=f"parameters of FeedForward({d}{''.join(f', {k}={v}' for k, v in options.items())})",
            mistakes=[
                Mistake(listed(flat), "the inner layer is as narrow as the outside: 4 * d_model."),
                Mistake(listed(deaf), "d_hidden was not listened to."),
            ],
            smaller="FeedForward(2).up.weight.shape is (2, 8)",
        )


@exercise("FeedForward.__init__", points=1)
def test_feed_forward_hands_its_dropout_on(tt, draw):
    """FeedForward's dropout has the share that was asked for"""
    d, hidden = draw.sizes(2)
    share = draw.choice([1, 2, 3, 5, 6, 7]) / 8
    same(
        tt.FeedForward(d, hidden, share).dropout.p,
        share,
        what=f"FeedForward({d}, {hidden}, {share}).dropout.p",
        mistakes=[
            Mistake(0.5, "this is what Dropout takes if it is told nothing."),
            Mistake(0.0, "the share was not handed on: Dropout(dropout)."),
        ],
    )
    same(tt.FeedForward(d).dropout.p, 0.0, what=f"FeedForward({d}).dropout.p")


@exercise("FeedForward.forward", points=2)
def test_feed_forward_widens_bends_and_narrows(tt, draw):
    """FeedForward widens, bends with gelu and narrows, each token by itself"""
    d, hidden, batch, time = draw.sizes(4)
    p = numbers(draw, put("up", linear(d, hidden)) | put("down", linear(hidden, d)))
    x = draw(batch, time, d)
    up, down = (below(p, name) for name in ("up", "down"))
    inside = dense(up, x)
    y = loaded(tt.FeedForward(d, hidden), "network", p)(named(tt.tensor(x), "x"))
    same(
        y,
        dense(down, bent(inside)),
        rtol=1e-4,
        atol=1e-5,
        mistakes=[
            Mistake(dense(down, inside), "nothing bends between the two layers, and so they are worth one: gelu."),
            Mistake(dense(down, np.maximum(inside, 0)), "this is relu between the two layers. It is gelu here."),
            Mistake(bent(dense(down, inside)), "the gelu stands behind the second layer. Its place is between them."),
            Mistake(bent(dense(down, bent(inside))), "a second gelu stands behind the second layer."),
            Mistake(x + dense(down, bent(inside)), "the input was added. The block does that."),
        ],
        smaller="with weights 1, biases 0 and d_hidden 2, FeedForward(1) makes 3.9092 of 2",
    )


@exercise("FeedForward.forward", points=2)
def test_feed_forward_drops_out_at_the_end(tt, draw):
    """FeedForward drops elements of its output while it trains, and makes up for them"""
    d, hidden = draw.sizes(2)
    share = draw.choice([0.25, 0.5])
    p = numbers(draw, put("up", linear(d, hidden)) | put("down", linear(hidden, d)))
    x = draw(8, 8, d)
    network = loaded(tt.FeedForward(d, hidden, share), "network", p)
    y = network(tt.tensor(x))
    whole = thought(p, x)
    gone = zeros_in(y, x.shape)
    due = np.where(gone & ~gone.all(), 0, whole / (1 - share))
    same(
        y,
        due,
        rtol=1e-4,
        atol=1e-5,
        what=f"network(x), where network = FeedForward({d}, {hidden}, {share}) in training mode",
        mistakes=[Mistake(whole, "no dropout: self.dropout belongs around the whole.")],
    )
    same_array(np.array(gone.mean()), np.array(share), atol=0.2, what="share of zeros in it", dtype=np.float64)


@exercise("FeedForward.forward", points=1)
def test_feed_forward_lets_the_gradient_through(lab, draw):
    """FeedForward's gradients reach its input and all its parameters"""
    d, hidden, time = draw.sizes(3)
    p = numbers(draw, put("up", linear(d, hidden)) | put("down", linear(hidden, d)))
    x, grad = draw.normal(time, d), draw.normal(time, d)
    (slopes,), missing = lab(input_slopes, "FeedForward", [d, hidden], p, [x], grad)
    same_array(slopes, numeric(lambda z: thought(p, z), x, grad), rtol=1e-3, atol=1e-3, what="x.grad")
    same([missing, slopes.shape], [[], x.shape], what="[parameters without a gradient, x.grad.shape]")


# ---- EncoderBlock -----------------------------------------------------------------------------------------


@exercise("EncoderBlock.forward", points=3)
def test_encoder_block_is_two_branches_on_a_stream(tt, draw):
    """an encoder block adds what attention and the feed-forward network make of the normalised stream"""
    d, heads = width(draw)
    batch, time = draw.sizes(2)
    p, x = numbers(draw, block_shapes(d)), draw(batch, time, d)
    b = (p, heads)
    a, bare = x + look(b, n1(b, x)), look(b, n1(b, x))
    post, blind, normal = n1(b, x + look(b, x)), x + back(b, n1(b, x)), n1(b, x)
    given = named(tt.tensor(x), "x")
    same(
        loaded(tt.EncoderBlock(d, heads), "block", p)(given),
        a + think(b, n2(b, a)),
        rtol=1e-4,
        atol=1e-4,
        mistakes=[
            Mistake(bare + think(b, n2(b, bare)), "what attention found replaced x. Add it: x + attention(norm1(x))."),
            Mistake(think(b, n2(b, a)), "the feed-forward network's answer replaced x. Add it."),
            Mistake(think(b, n2(b, bare)), "nothing was added: both branches replaced the stream."),
            Mistake(n2(b, post + think(b, post)), "this is post-norm. The norm stands inside the branch."),
            Mistake(x + look(b, x) + think(b, x + look(b, x)), "neither branch normalises what it reads."),
            Mistake(x + look(b, x) + think(b, n2(b, x + look(b, x))), "attention reads x itself. It reads norm1(x)."),
            Mistake(a + think(b, a), "the feed-forward network reads the stream itself. It reads norm2 of it."),
            Mistake(a + think(b, n1(b, a)), "norm1 was used twice. The second branch has norm2."),
            Mistake(a + think(b, n2(b, x)), "the second branch reads the block's input. It reads what attention left."),
            Mistake(x + think(b, n2(b, a)), "what attention found is lost: the second sum starts from the input."),
            Mistake(
                normal + bare + think(b, n2(b, normal + bare)),
                "the normalised x was added to. x itself goes on.",
            ),
            Mistake(blind + think(b, n2(b, blind)), "an encoder looks both ways: no causal mask."),
        ],
        smaller="with weights and biases 0, EncoderBlock(2, 1)(x) is x",
    )
    unchanged(given, x)


@exercise("EncoderBlock.forward", points=2)
def test_encoder_block_hands_the_mask_on(tt, draw):
    """an encoder block lets attention see what the mask allows"""
    d, heads = width(draw)
    batch, time = draw.sizes(2)
    p, x = numbers(draw, block_shapes(d)), draw(batch, time, d)
    mask = np.eye(time, dtype=bool) | (draw(time, time) > 0)
    mask[0, 1:] = False
    b = (p, heads)
    same(
        loaded(tt.EncoderBlock(d, heads), "block", p)(named(tt.tensor(x), "x"), attn_mask=named(tt.tensor(mask), "m")),
        encoder(b, x, mask),
        rtol=1e-4,
        atol=1e-4,
        mistakes=[Mistake(encoder(b, x), UNHEARD_MASK)],
    )


@exercise("EncoderBlock.forward", points=2)
def test_encoder_block_drops_out_in_both_branches(tt, draw):
    """with dropout 1, an encoder block that trains is its input: both branches are dropped, the stream is not"""
    d, heads = width(draw)
    batch, time = draw.sizes(2)
    p, x = numbers(draw, block_shapes(d)), draw(batch, time, d)
    b = (p, heads)
    block = loaded(tt.EncoderBlock(d, heads, dropout=1.0), "block", p)
    same(
        block(named(tt.tensor(x), "x")),
        x,
        what=f"block(x), where block = EncoderBlock({d}, {heads}, dropout=1.0) in training mode",
        rtol=1e-4,
        atol=1e-4,
        mistakes=[
            Mistake(x + look(b, n1(b, x)), "the branch of attention has no dropout around it."),
            Mistake(np.zeros(x.shape), "the stream itself was dropped. Dropout belongs around the branch only."),
        ],
    )
    same(block.eval()(named(tt.tensor(x), "x")), encoder(b, x), rtol=1e-4, atol=1e-4, what="block.eval()(x)")


@exercise("EncoderBlock.forward", points=1)
def test_encoder_block_drops_out_once(tt, draw):
    """the feed-forward network's dropout acts once in a block"""
    d, heads = width(draw)
    p, x = numbers(draw, block_shapes(d)), draw(4, 6, d)
    p |= {name: np.zeros_like(a) for name, a in p.items() if name.startswith("attention.out")}
    b = (p, heads)
    y = loaded(tt.EncoderBlock(d, heads, dropout=0.5), "block", p)(named(tt.tensor(x), "x"))
    gone = zeros_in(y - tt.tensor(x), x.shape)
    gone &= not gone.all()
    branch = think(b, n2(b, np.float64(x)))
    same(
        y,
        np.where(gone, x, x + 2 * branch),
        rtol=1e-4,
        atol=1e-4,
        what="block(x) with dropout 0.5, where attention gives zeros",
        mistakes=[Mistake(np.where(gone, x, x + 4 * branch), "self.feed_forward has a dropout already: this is two.")],
    )


@exercise("EncoderBlock.forward", points=1)
def test_encoder_block_lets_the_gradient_through(lab, draw):
    """an encoder block's gradients reach its input and all its parameters"""
    d, heads = 4, 2
    time = int(draw.integers(2, 5))
    p, x, grad = numbers(draw, block_shapes(d)), draw.normal(1, time, d), draw.normal(1, time, d)
    (slopes,), missing = lab(input_slopes, "EncoderBlock", [d, heads], p, [x], grad)
    same_array(slopes, numeric(lambda z: encoder((p, heads), z), x, grad), rtol=2e-3, atol=2e-3, what="x.grad")
    same([missing, slopes.shape], [[], x.shape], what="[parameters without a gradient, x.grad.shape]")


# ---- DecoderBlock -----------------------------------------------------------------------------------------


@exercise("DecoderBlock.forward", points=3)
def test_decoder_block_looks_back_only(tt, draw):
    """a decoder block is an encoder block that sees no future"""
    d, heads = width(draw)
    batch, time = draw.sizes(2)
    p, x = numbers(draw, block_shapes(d)), draw(batch, time, d)
    b = (p, heads)
    a, bare, post = x + back(b, n1(b, x)), back(b, n1(b, x)), n1(b, x + back(b, x))
    same(
        loaded(tt.DecoderBlock(d, heads), "block", p)(named(tt.tensor(x), "x")),
        decoder(b, x),
        rtol=1e-4,
        atol=1e-4,
        mistakes=[
            Mistake(encoder(b, x), SEES_THE_FUTURE),
            Mistake(bare + think(b, n2(b, bare)), "what attention found replaced x. Add it: x + attention(norm1(x))."),
            Mistake(think(b, n2(b, a)), "the feed-forward network's answer replaced x. Add it."),
            Mistake(n2(b, post + think(b, post)), "this is post-norm. The norm stands inside the branch."),
            Mistake(a + think(b, a), "the feed-forward network reads the stream itself. It reads norm2 of it."),
            Mistake(x + back(b, x) + think(b, n2(b, x + back(b, x))), "attention reads x itself. It reads norm1(x)."),
        ],
        smaller="DecoderBlock(2, 1) gives the first token the same answer with and without others behind it",
    )


@exercise("DecoderBlock.forward", points=1)
def test_decoder_block_does_not_change_the_past(tt, draw):
    """tokens that are appended change nothing before them in a decoder block"""
    d, heads = width(draw)
    time = int(draw.integers(3, 7))
    short = int(draw.integers(1, time))
    p, x = numbers(draw, block_shapes(d)), draw(2, time, d)
    block = loaded(tt.DecoderBlock(d, heads), "block", p)
    b = (p, heads)
    for name, rows in ((f"x[:, :{short}]", x[:, :short]), ("x", x)):
        same(
            block(tt.tensor(rows))[:, :short],
            decoder(b, x)[:, :short],
            rtol=1e-4,
            atol=1e-4,
            what=f"block({name})[:, :{short}]",
            mistakes=[Mistake(encoder(b, rows)[:, :short], SEES_THE_FUTURE)],
        )


@exercise("DecoderBlock.forward", points=3)
def test_decoder_block_looks_across(tt, draw):
    """a decoder block with a memory looks across at all of it, between looking back and thinking"""
    d, heads = width(draw)
    batch, time, other = draw.sizes(3)
    p, x, memory = numbers(draw, block_shapes(d, cross=True)), draw(batch, time, d), draw(batch, other, d)
    b = (p, heads)
    a = x + back(b, n1(b, x))
    first = x + across(b, nc(b, x), memory)
    first = first + back(b, n1(b, first))

    def end(c):
        return c + think(b, n2(b, c))

    full = x + look(b, n1(b, x))
    full = full + across(b, nc(b, full), memory)
    same(
        loaded(tt.DecoderBlock(d, heads, cross_attention=True), "block", p)(
            named(tt.tensor(x), "x"), named(tt.tensor(memory), "memory")
        ),
        end(a + across(b, nc(b, a), memory)),
        rtol=1e-4,
        atol=1e-4,
        mistakes=[
            Mistake(end(a), "the memory was not looked at."),
            Mistake(end(across(b, nc(b, a), memory)), "what was found in the memory replaced the stream. Add it."),
            Mistake(end(a + across(b, a, memory)), "cross-attention asks with the stream itself. Norm it: norm_cross."),
            Mistake(
                end(a + across(b, nc(b, a), nc(b, memory))), "the memory was normalised here too. It is taken as it is."
            ),
            Mistake(
                end(a + across(b, nc(b, a), memory, np.tri(time, other, dtype=bool))),
                "a memory may be seen whole.",
            ),
            Mistake(end(a + across(b, nc(b, a), memory, part="attention")), "self.attention was used for the memory."),
            Mistake(end(first), "the memory was looked at first. A decoder looks back, then across."),
            Mistake(end(full), SEES_THE_FUTURE),
            Mistake(
                a + across(b, nc(b, a), memory) + think(b, n2(b, a)),
                "the last branch reads what was there before.",
            ),
        ],
    )


@exercise("DecoderBlock.forward", points=1)
def test_decoder_block_goes_without_a_memory(tt, draw):
    """a block with cross-attention leaves it out where no memory is given"""
    d, heads = width(draw)
    batch, time = draw.sizes(2)
    p, x = numbers(draw, block_shapes(d, cross=True)), draw(batch, time, d)
    block = loaded(tt.DecoderBlock(d, heads, cross_attention=True), "block", p)
    b = (p, heads)
    a = x + back(b, n1(b, x))
    itself = a + across(b, nc(b, a), nc(b, a))
    same(
        block(named(tt.tensor(x), "x")),
        decoder(b, x),
        rtol=1e-4,
        atol=1e-4,
        mistakes=[Mistake(itself + think(b, n2(b, itself)), "cross-attention without a memory looked at x itself.")],
    )


@exercise("DecoderBlock.forward", points=1)
def test_decoder_block_refuses_a_memory_it_cannot_read(tt, draw):
    """a decoder block without cross-attention refuses a memory, and names its shape"""
    d, heads = width(draw)
    batch, time, other = draw.sizes(3)
    p, x, memory = numbers(draw, block_shapes(d)), draw(batch, time, d), draw(batch, other, d)
    block = loaded(tt.DecoderBlock(d, heads), "block", p)
    raises(ValueError, lambda: block(tt.tensor(x), tt.tensor(memory)), mentions=[memory.shape])
    same(block(named(tt.tensor(x), "x")), decoder((p, heads), x), rtol=1e-4, atol=1e-4)


@exercise("DecoderBlock.forward", points=2)
def test_decoder_block_drops_out_in_every_branch(tt, draw):
    """with dropout 1, a decoder block that trains is its input: all three branches are dropped"""
    d, heads = width(draw)
    batch, time, other = draw.sizes(3)
    p, x, memory = numbers(draw, block_shapes(d, cross=True)), draw(batch, time, d), draw(batch, other, d)
    b = (p, heads)
    a = x + back(b, n1(b, x))
    same(
        loaded(tt.DecoderBlock(d, heads, 1.0, cross_attention=True), "block", p)(tt.tensor(x), tt.tensor(memory)),
        x,
        what=f"block(x, memory), where block = DecoderBlock({d}, {heads}, 1.0, True) in training mode",
        rtol=1e-4,
        atol=1e-4,
        mistakes=[
            Mistake(a, "the branch of attention has no dropout around it."),
            Mistake(x + across(b, nc(b, x), memory), "the branch of cross-attention has no dropout."),
            Mistake(np.zeros(x.shape), "the stream itself was dropped. Dropout belongs around the branch only."),
        ],
    )


@exercise("DecoderBlock.forward", points=1)
def test_decoder_block_lets_the_gradient_through(lab, draw):
    """a decoder block's gradients reach its input, the memory and all its parameters"""
    d, heads = 4, 2
    p = numbers(draw, block_shapes(d, cross=True))
    x, memory, grad = draw.normal(1, 3, d), draw.normal(1, 2, d), draw.normal(1, 3, d)
    slopes, missing = lab(input_slopes, "DecoderBlock", [d, heads, 0.0, True], p, [x, memory], grad)
    b = (p, heads)
    same_array(slopes[0], numeric(lambda z: decoder(b, z, memory), x, grad), rtol=2e-3, atol=2e-3, what="x.grad")
    same_array(slopes[1], numeric(lambda z: decoder(b, x, z), memory, grad), rtol=2e-3, atol=2e-3, what="memory.grad")
    same([missing, slopes[0].shape], [[], x.shape], what="[parameters without a gradient, x.grad.shape]")


# ---- GPT: what it is made of --------------------------------------------------------------------------------


@exercise("GPT.__init__", points=3)
def test_gpt_has_all_parts_in_order(lab, draw):
    """a GPT is made of two tables, as many blocks as asked for, a norm and a head without bias"""
    d, heads = width(draw)
    vocab, longest = (int(n) + 10 for n in draw.sizes(2))
    layers = int(draw.integers(2, 4))
    right = gpt_shapes(vocab, d, layers, longest)
    first = {name: shape for name, shape in right.items() if "blocks." not in name or "blocks.0" in name}
    no_norm = {name: shape for name, shape in right.items() if not name.startswith("norm.")}
    swapped = right | {"tokens.weight": (longest, d), "positions.weight": (vocab, d)}
    same(
        lab(shapes_of, "GPT", [vocab, d, heads, layers, longest], {}),
        listed(right),
        what=f"parameters of GPT({vocab}, {d}, {heads}, {layers}, {longest})",
        mistakes=[
            Mistake(
                listed(first),
                f"there is one block, {layers} times. Make a new one each time.",
            ),
            Mistake(listed(right | {"head.bias": (vocab,)}), "the head has a bias: bias=False."),
            Mistake(listed(no_norm), "the last norm is missing."),
            Mistake(listed(swapped), "the tables' sizes are exchanged: one row for each token, one for each place."),
        ],
    )


@exercise("GPT.__init__", points=2)
def test_gpt_hands_dropout_to_its_blocks(tt, draw):
    """with dropout 1, a GPT that trains has only its tables, its norm and its head left"""
    net = gpt(draw, 7, *width(draw), 2, 5)
    ids = draw.integers(0, 7, 2, 4)
    model = made(tt, net, dropout=1.0)
    same(
        model(named(tt.tensor(ids), "ids")),
        logits(net, ids, layers=0),
        what="model(ids) with dropout=1.0 in training mode",
        rtol=1e-4,
        atol=1e-4,
        mistakes=[Mistake(logits(net, ids), "the blocks know of no dropout: hand it on to each DecoderBlock.")],
    )


@exercise("GPT.__init__", points=1)
def test_gpt_refuses_heads_that_do_not_divide(tt, draw):
    """a GPT refuses a number of heads that does not divide the width, and names both"""
    heads, each = draw.sizes(2)
    d = heads * each
    raises(ValueError, lambda: tt.GPT(5, d + 1, heads, 1, 4), mentions=[d + 1, heads])
    ids = draw.integers(0, 5, 2, 3)
    net = gpt(draw, 5, d, heads, 1, 4)
    same(
        made(tt, net)(tt.tensor(ids)), logits(net, ids), what="model(ids) with a width that fits", rtol=1e-3, atol=1e-3
    )


def started(sizes, seeds):
    """A model's numbers after `init_weights`, called once for each seed on what was filled with sevens before."""
    model = tt.GPT(*sizes)
    found = []
    for seed in seeds:
        for parameter in model.parameters():
            parameter.data[...] = 7
        tt.manual_seed(seed)
        model.init_weights()
        found.append({name: parameter.data.copy() for name, parameter in model.named_parameters()})
    return found


@exercise("GPT.init_weights", points=2)
def test_gpt_weights_start_small(lab, draw):
    """all tables and weights of a GPT start with a standard deviation of 0.02"""
    vocab, longest = int(draw.integers(60, 90)), int(draw.integers(40, 60))
    (found,) = lab(started, [vocab, 32, 2, 1, longest], [draw.seed])
    right = gpt_shapes(vocab, 32, 1, longest)
    same(list(found), list(right), what="names of the parameters")
    weights = {name: found[name] for name, shape in right.items() if len(shape) == 2}
    same(
        {name: float(np.float64(a).std()) for name, a in weights.items()},
        dict.fromkeys(weights, 0.02),
        rtol=0.15,
        what="standard deviations after model.init_weights()",
    )
    spread = np.concatenate([a.reshape(-1) for a in weights.values()])
    same_array(np.array(np.float64(spread).mean()), np.array(0.0), atol=0.002, dtype=np.float64, what="their mean")
    wide = np.array((np.abs(spread) > 0.04).mean())
    same_array(wide, np.array(0.0455), atol=0.015, dtype=np.float64, what="share beyond 0.04, 0.0455 if normal")


def refilled(sizes, values):
    """The one-dimensional parameters after `init_weights`, which were filled with these values."""
    model = tt.GPT(*sizes)
    flat = {name: p for name, p in model.named_parameters() if p.ndim == 1}
    for parameter, value in zip(flat.values(), values, strict=False):
        parameter.data[...] = value
    model.init_weights()
    return [(name, float(p.data.min()), float(p.data.max())) for name, p in flat.items()]


@exercise("GPT.init_weights", points=2)
def test_gpt_biases_start_at_zero(lab, draw):
    """all biases of a GPT start at 0, and the norms' weights stay as they are"""
    d, heads = width(draw)
    values = [float(v) for v in draw(60)]
    names = [name for name, shape in gpt_shapes(5, d, 2, 4).items() if len(shape) == 1]
    before = dict(zip(names, values, strict=False))
    right = [(name, *[0.0 if name.endswith("bias") else value] * 2) for name, value in before.items()]
    same(
        lab(refilled, [5, d, heads, 2, 4], values),
        right,
        what="(name, smallest, largest) of each parameter of one dimension, filled before init_weights()",
        mistakes=[
            Mistake([(n, v, v) for n, v in before.items()], "no bias was set to 0."),
            Mistake([(n, 0.0, 0.0) for n in before], "the norms' weights became 0 too, and nothing gets through them."),
            Mistake(
                [(n, *[v if "norm" in n else 0.0] * 2) for n, v in before.items()],
                "the norms' biases were left out: every name that ends in 'bias' counts.",
            ),
        ],
    )


@exercise("GPT.init_weights", points=1)
def test_gpt_weights_are_drawn_anew(lab, draw):
    """a GPT's first weights follow manual_seed, and no two tables start alike"""
    one, other = (int(s) for s in draw.permutation(1000)[:2])
    seeds = [one, other, *(int(s) for s in draw.rng.choice([one, other], 3))]
    found = lab(started, [6, 4, 2, 2, 6], seeds)
    same(list(found[0]), list(gpt_shapes(6, 4, 2, 6)), what="names of the parameters")
    same(
        numbered([next(iter(a.values())) for a in found]),
        numbered(seeds),
        what=f"which of the models with seeds {seeds} start like which",
    )
    square = [a for a in found[0].values() if a.shape == (4, 4)]
    same(numbered(square), list(range(len(square))), what="which weights of one model start like which")


@exercise("GPT.__init__", points=2)
def test_gpt_starts_at_the_price_of_guessing(tt, draw):
    """the first loss of a GPT is the logarithm of the vocabulary's size"""
    tt.manual_seed(draw.seed)
    vocab = int(draw.integers(50, 100))
    model = named(tt.GPT(vocab, 32, 2, 2, 16), "model")
    ids, targets = draw.integers(0, vocab, 32, 16), draw.integers(0, vocab, 512)
    loss = tt.CrossEntropyLoss()(model(tt.tensor(ids)).reshape(512, vocab), tt.tensor(targets))
    same(
        loss,
        np.array(math.log(vocab)),
        rtol=0.015,
        what=f"first loss of GPT({vocab}, 32, 2, 2, 16), due log {vocab}",
        smaller="with 65 tokens the first loss is 4.174",
    )
    same([model.vocab_size, model.max_len], [vocab, 16], what="[model.vocab_size, model.max_len]")


# ---- GPT: what it computes ----------------------------------------------------------------------------------


@exercise("GPT.forward", points=3)
def test_gpt_scores_the_next_token_everywhere(tt, draw):
    """a GPT turns ids into the scores of the next token at every place"""
    vocab, batch, time = draw.sizes(3)
    net = gpt(draw, vocab, *width(draw), 2, time + 1)
    ids, p = draw.integers(0, vocab, batch, time), net[1]
    x = np.float64(p["tokens.weight"])[ids]
    lost = logits((net[0], p | {"positions.weight": np.zeros_like(p["positions.weight"])}), ids)
    stream = x + p["positions.weight"][:time]
    for i in range(2):
        stream = decoder((below(p, f"blocks.{i}"), net[0][2]), stream)
    same(
        made(tt, net)(named(tt.tensor(ids), "ids")),
        logits(net, ids),
        rtol=1e-3,
        atol=1e-3,
        mistakes=[
            Mistake(lost, "the tokens do not know where they stand: self.positions(...)."),
            Mistake(logits(net, ids, layers=0), "the blocks were left out."),
            Mistake(logits(net, ids, layers=1), "only the first block was used."),
            Mistake(stream @ p["head.weight"], "the last norm is missing before the head."),
            Mistake(probabilities(logits(net, ids)), "this is their softmax. The loss wants the scores as they are."),
            Mistake(logits(net, ids)[:, -1], "only the last place came back. Training asks at all of them."),
        ],
    )


@exercise("GPT.forward", points=2)
def test_gpt_refuses_ids_it_cannot_read(tt, draw):
    """a GPT refuses more than max_len ids in a row and other shapes than (batch, time), with the numbers"""
    longest, more = int(draw.integers(4, 9)), int(draw.integers(11, 40))
    net = gpt(draw, 5, *width(draw), 1, longest)
    model, ids = made(tt, net), draw.integers(0, 5, 2, more)
    shown = ids[:, :longest]
    raises(ValueError, lambda: model(tt.tensor(ids)), mentions=[more, longest])
    raises(ValueError, lambda: model(tt.tensor(ids[:, : longest + 1])), mentions=[longest + 1, longest])
    raises(ValueError, lambda: model(tt.tensor(shown[0])), mentions=[(longest,)])
    raises(ValueError, lambda: model(tt.tensor(shown[None])), mentions=[(1, 2, longest)])
    same(model(tt.tensor(shown)), logits(net, shown), rtol=1e-3, atol=1e-3, what=f"model(ids) with {longest} ids")


def all_slopes(sizes, p, ids, grad, ways):
    """For every parameter, how fast sum(grad * logits) rises along its way."""
    model = tt.GPT(*sizes)
    model.load_state_dict(p)
    model(tt.tensor(ids)).backward(tt.tensor(grad))
    return [
        0.0 if parameter.grad is None else float((parameter.grad.data * ways[name]).sum())
        for name, parameter in model.named_parameters()
    ]


@exercise("GPT.forward", points=2)
def test_gpt_gradients_reach_every_parameter(lab, draw):
    """the gradient of a GPT's scores reaches every parameter"""
    net = gpt(draw, 6, 4, 2, 1, 4)
    ids, grad = draw.integers(0, 6, 2, 3), draw.normal(2, 3, 6)
    ways = {name: draw.normal(*a.shape) for name, a in net[1].items()}

    def rise(name, h=1e-5):
        sides = (net[1] | {name: net[1][name] + s * np.float64(ways[name])} for s in (h, -h))
        up, down = (logits((net[0], p), ids) for p in sides)
        return float(((up - down) * grad).sum() / (2 * h))

    same_array(
        np.array(lab(all_slopes, list(net[0]), net[1], ids, grad, ways)),
        np.array([rise(name) for name in net[1]]),
        dtype=np.float64,
        rtol=5e-3,
        atol=5e-3,
        what="how fast the scores rise along a random way of each parameter",
    )


@exercise("gpt_parameter_count", points=2)
def test_count_adds_up_all_parts(tt, draw):
    """gpt_parameter_count counts every number by arithmetic, also of a model that fits nowhere"""
    d, vocab, longest = 64 * int(draw.integers(150, 200)), int(draw.integers(50000, 90000)), int(draw.integers(1, 5000))
    layers = int(draw.integers(2, 100))
    norms, biases = 4 * d, 9 * d
    rest = (2 * vocab + longest + 2) * d
    whole = layers * (12 * d * d + norms + biases) + rest
    same(
        tt.gpt_parameter_count(vocab, d, layers, longest),
        whole,
        what=f"gpt_parameter_count({vocab}, {d}, {layers}, {longest})",
        mistakes=[
            Mistake(whole - layers * biases, "the biases of the Linear layers are missing: 9 * d_model in a block."),
            Mistake(whole - layers * norms, "the two norms of each block are missing: 4 * d_model in a block."),
            Mistake(whole - layers * (norms + biases), "a block has biases and two norms, too: 13 * d_model."),
            Mistake(whole - 2 * d, "the last norm is missing."),
            Mistake(whole - d, "the last norm has a weight and a bias."),
            Mistake(whole - vocab * d, "the head is missing. It does not share its numbers with the table of tokens."),
            Mistake(whole + vocab, "the head has no bias."),
            Mistake(whole - longest * d, "the table of positions is missing."),
            Mistake(whole - (layers - 1) * (12 * d * d + norms + biases), "only one block was counted."),
        ],
        smaller="gpt_parameter_count(65, 64, 2, 64) is 112512",
    )


def counted(sizes):
    """The numbers of a real model."""
    return sum(int(np.prod(parameter.shape)) for parameter in tt.GPT(*sizes).parameters())


@exercise("gpt_parameter_count", points=1)
def test_count_is_that_of_the_model(tt, lab, draw):
    """gpt_parameter_count gives the count of a real model"""
    d, heads = width(draw)
    vocab, longest = draw.sizes(2)
    layers = int(draw.integers(0, 4))
    real = lab(counted, [vocab, d, heads, layers, longest])
    what = f"gpt_parameter_count({vocab}, {d}, {layers}, {longest})"
    same(tt.gpt_parameter_count(vocab, d, layers, longest), real, what=what)


# ---- keep_top_k and sample ----------------------------------------------------------------------------------


@exercise("keep_top_k", points=2)
def test_top_k_keeps_the_likeliest(tt, draw):
    """keep_top_k keeps the largest scores of each row and gives the others -inf"""
    rows, classes = int(draw.integers(2, 5)), int(draw.integers(5, 9))
    k = int(draw.integers(2, classes - 1))
    a = draw.distinct(rows, classes)
    places = a.argsort(-1).argsort(-1)
    keeps = places >= classes - k
    all_together = a >= np.sort(a.reshape(-1))[-k]
    x = named(tt.tensor(a), "x")
    same(
        tt.keep_top_k(x, k),
        np.where(keeps, a, -np.inf),
        mistakes=[
            Mistake(np.where(keeps, a, 0), ZERO_FOR_FORBIDDEN),
            Mistake(np.where(places < k, a, -np.inf), "the smallest scores were kept."),
            Mistake(np.where(places >= classes - k + 1, a, -np.inf), "one too few was kept: the last one stays, too."),
            Mistake(np.where(places >= classes - k - 1, a, -np.inf), "one too many was kept."),
            Mistake(np.where(keeps, -np.inf, a), "those to keep were forbidden, and the others kept."),
            Mistake(np.where(all_together, a, -np.inf), "all rows were ranked together. Each has its own best ones."),
            Mistake(np.sort(a, -1)[:, -k:], "the others were cut away. Each score stays at its token's place."),
        ],
        smaller="keep_top_k(tensor([[1., 2.]]), 1) is [[-inf, 2.]]",
    )
    unchanged(x, a)


@exercise("keep_top_k", points=1)
def test_top_k_takes_any_dimensions_in_front(tt, draw):
    """keep_top_k takes any dimensions in front, one token, and all of them"""
    n, m, classes = draw.sizes(3)
    a = draw.distinct(n, m, classes)
    places = a.argsort(-1).argsort(-1)
    for k in (1, classes - 1, classes):
        same(tt.keep_top_k(named(tt.tensor(a), "x"), k), np.where(places >= classes - k, a, -np.inf))
    same(tt.keep_top_k(tt.tensor(a[0, 0]), 1), np.where(places[0, 0] == classes - 1, a[0, 0], -np.inf))


@exercise("keep_top_k", points=1)
def test_top_k_refuses_what_cannot_be_kept(tt, draw):
    """keep_top_k refuses less than one and more than all, and names both numbers"""
    rows, classes = draw.sizes(2)
    more, less = int(draw.integers(10, 50)), -int(draw.integers(10, 50))
    a = draw.distinct(rows, classes)
    for k in (more, classes + 1, 0, less):
        raises(ValueError, lambda k=k: tt.keep_top_k(tt.tensor(a), k), mentions=[k, classes])
    best = a == a.max(-1, keepdims=True)
    same(tt.keep_top_k(tt.tensor(a), 1), np.where(best, a, -np.inf))


def drawn(logits, count, temperature, seed):
    """One token for each of `count` rows of the same scores, drawn with a generator of this seed."""
    rows = tt.tensor(np.tile(logits, (count, 1)))
    return tt.sample(rows, temperature, np.random.default_rng(seed)).data


def shares(tokens, classes):
    """How often each token came."""
    return np.bincount(np.clip(np.asarray(tokens, np.int64).reshape(-1), 0, classes - 1), minlength=classes) / max(
        tokens.size, 1
    )


@exercise("sample", points=1)
def test_sample_at_zero_takes_the_largest(tt, draw):
    """sample takes the largest score of each row at temperature 0"""
    rows, classes = int(draw.integers(4, 8)), int(draw.integers(3, 7))
    a = draw.distinct(rows, classes)
    with calm(tt):
        tokens = tt.sample(named(tt.tensor(a), "x"), temperature=0)
        same(
            tokens,
            a.argmax(-1)[:, None],
            mistakes=[
                Mistake(a.argmax(-1), "one dimension is gone: (B, 1), so that it can be appended to ids (B, T)."),
                Mistake(a.argmin(-1)[:, None], "the smallest score won."),
                Mistake(a.argmax(0)[:, None], "the largest score was looked for along the batch."),
            ],
            smaller="sample(tensor([[1., 2.]]), temperature=0) is [[1]]",
        )


@exercise("sample", points=3)
def test_sample_follows_the_softmax(lab, draw):
    """sample draws each token as often as the softmax of scores / temperature says"""
    a = (draw.permutation(4) * 0.75).astype(np.float32)
    temperature = draw.choice([0.5, 2.0])
    tokens = lab(drawn, a, 20000, temperature, draw.seed)
    same(tuple(tokens.shape), (20000, 1), what="shape of sample(x, temperature) with x (20000, 4)")
    got = shares(tokens, 4)
    largest = np.eye(4)[a.argmax()]
    same_array(
        got,
        probabilities(np.float64(a) / temperature),
        dtype=np.float64,
        atol=0.02,
        rtol=0,
        what=f"shares of the tokens in 20000 draws from {[float(v) for v in a]} at temperature {temperature}",
        mistakes=[
            Mistake(probabilities(np.float64(a)), NO_TEMPERATURE),
            Mistake(probabilities(a * temperature), TIMES_TEMPERATURE),
            Mistake(largest, ALWAYS_THE_LARGEST),
            Mistake(np.eye(4)[got.argmax()], "all rows drew the same token. Each row draws for itself."),
            Mistake(np.full(4, 0.25), "all tokens came equally often: the scores were not used."),
            Mistake(probabilities(-np.float64(a) / temperature), "the smaller scores came more often."),
        ],
    )


@exercise("sample", points=2)
def test_sample_never_draws_what_is_forbidden(tt, draw):
    """sample never draws a token whose score is -inf, without a warning"""
    tt.manual_seed(draw.seed)
    rows, classes = 3000, int(draw.integers(4, 8))
    a = (draw.permutation(classes) * 0.75).astype(np.float32)
    forbidden = draw.permutation(classes) < 2
    a[forbidden] = -np.inf
    with calm(tt):
        tokens = tt.sample(tt.tensor(np.tile(a, (rows, 1))))
    same(tuple(tokens.shape), (rows, 1), what=f"shape of sample(x) with x {(rows, classes)}")
    got = shares(tokens.data, classes)
    same([bool(share) for share in got], [not gone for gone in forbidden.tolist()], what="which tokens were drawn")
    same_array(got, probabilities(np.float64(a)), atol=0.06, rtol=0, dtype=np.float64, what=f"shares in {rows} draws")


def by_seeds(logits, seeds):
    """What is drawn from generators of these seeds; then the same by manual_seed; numbers in between."""
    found = []
    for seed in seeds:
        tt.rand(seed % 5)
        found.append(tt.sample(tt.tensor(logits), 1.0, np.random.default_rng(seed)).data)
    for seed in seeds:
        tt.manual_seed(seed)
        found.append(tt.sample(tt.tensor(logits)).data)
    return found


@exercise("sample", points=2)
def test_sample_draws_from_the_generator(lab, draw):
    """sample draws from the generator it is given, or else follows manual_seed"""
    one, other = (int(s) for s in draw.permutation(1000)[:2])
    seeds = [one, other, *(int(s) for s in draw.rng.choice([one, other], 3))]
    found = lab(by_seeds, draw(40, 30) / 8, seeds)
    for name, part in (("generators", found[:5]), ("manual_seed", found[5:])):
        same(
            numbered(part),
            numbered(seeds),
            what=f"which draws with the seeds {seeds} by {name} equal which",
            mistakes=[
                Mistake([0, 1, 2, 3, 4], "every draw differs: the generator that was given was not used."),
                Mistake([0] * 5, "every draw is the same: the seed is not listened to."),
            ],
        )


@exercise("sample", points=1)
def test_sample_refuses_temperatures_below_zero(tt, draw):
    """sample refuses a temperature that is negative, infinite or no number, and names it"""
    a = draw.distinct(3, 4)
    cold = -int(draw.integers(1, 80)) / 8
    for temperature in (cold, math.nan, math.inf):
        raises(ValueError, lambda t=temperature: tt.sample(tt.tensor(a), t), mentions=[temperature])
    same(tt.sample(tt.tensor(a), 0.0), a.argmax(-1)[:, None])


# ---- GPT.generate -------------------------------------------------------------------------------------------


@exercise("GPT.generate", points=3)
def test_generate_appends_what_is_likeliest(tt, draw):
    """generate at temperature 0 appends the likeliest token again and again"""
    time, count = int(draw.integers(2, 5)), int(draw.integers(3, 5))
    first, last = {"place": 0}, {"seen": lambda x: x[:, -1:]}
    unseen = {"seen": lambda x: x[:, :time]}
    net, ids = prompted(draw, (7, *width(draw), 2, 9), 3, time, count, first, last, unseen)
    right = write(net, ids, count)
    given = named(tt.tensor(ids), "ids")
    same(
        made(tt, net).generate(given, count, temperature=0),
        right,
        mistakes=[
            Mistake(right[:, time:], "only the new tokens came back. They are appended to the given ids."),
            Mistake(right[:, :-1], "one token too few was written."),
            Mistake(write(net, ids, count, **first), FIRST_PLACE),
            Mistake(write(net, ids, count, **last), LAST_ID_ONLY),
            Mistake(write(net, ids, count, **unseen), "the model never saw the new tokens."),
        ],
    )
    unchanged(given, ids)


@exercise("GPT.generate", points=2)
def test_generate_goes_on_beyond_max_len(tt, draw):
    """generate shows the model its last max_len ids, so that a text may grow longer"""
    longest = int(draw.integers(3, 6))
    front, last = {"seen": lambda x: x[:, :longest]}, {"seen": lambda x: x[:, -1:]}
    short = {"seen": lambda x: x[:, 1 - longest :]}
    for time in (2, longest + 3):
        net, ids = prompted(draw, (7, *width(draw), 1, longest), 2, time, longest + 2, front, last, short)
        same(
            made(tt, net).generate(named(tt.tensor(ids), "ids"), longest + 2, temperature=0),
            write(net, ids, longest + 2),
            mistakes=[
                Mistake(write(net, ids, longest + 2, **front), FIRST_IDS),
                Mistake(write(net, ids, longest + 2, **last), LAST_ID_ONLY),
                Mistake(write(net, ids, longest + 2, **short), "one id too few was shown."),
            ],
        )


def written(sizes, p, ids, count, seeds):
    """What is written with each seed; random numbers are drawn in between."""
    model = tt.GPT(*sizes, dropout=0.5)
    model.load_state_dict(p)
    found = []
    for seed in seeds:
        tt.rand(3 + seed % 5)
        found.append(model.generate(tt.tensor(ids), count, seed=seed).data)
    for seed in seeds:
        tt.manual_seed(seed)
        found.append(model.generate(tt.tensor(ids), count).data)
    found += [model.generate(tt.tensor(ids), count, temperature=1.0, seed=seed).data for seed in seeds]
    return found


@exercise("GPT.generate", points=2)
def test_generate_follows_its_seed(lab, draw):
    """generate writes the same text for the same seed, whatever was drawn before"""
    net = gpt(draw, 9, *width(draw), 1, 4)
    one, other = (int(s) for s in draw.permutation(1000)[:2])
    seeds = [one, other, *(int(s) for s in draw.rng.choice([one, other], 3))]
    p = {name: a * np.float32(0.6) for name, a in net[1].items()}  # nearly even: a text has many ways to go on
    found = lab(written, list(net[0]), p, draw.integers(0, 9, 6, 2), 6, seeds)
    same(
        numbered(found[:5] + found[10:]),
        numbered(seeds * 2),
        what=f"which texts with the seeds {seeds}, without a temperature and then with 1, equal which",
        mistakes=[
            Mistake([*range(10)], "the same seed writes another text. Make one generator from the seed."),
            Mistake([0] * 10, "every seed writes the same text."),
        ],
    )
    same(
        numbered(found[5:10]),
        numbered(seeds),
        what=f"which texts after manual_seed with {seeds} equal which",
        mistakes=[
            Mistake([0, 1, 2, 3, 4], "without a seed the draws come from default_generator, which manual_seed starts."),
            Mistake([0] * 5, "every manual_seed writes the same text."),
        ],
    )


@exercise("GPT.generate", points=1)
def test_generate_leaves_other_random_numbers_alone(tt, draw):
    """generate with a seed does not touch the random numbers of everybody else"""
    net, ids = prompted(draw, (5, *width(draw), 1, 4), 2, 2, 3, {"place": 0})
    ours, seed = (int(s) for s in draw.permutation(1000)[:2])
    model = made(tt, net)
    kind, bits = type(draw.rng), type(draw.rng.bit_generator)
    tt.manual_seed(ours)
    model.generate(tt.tensor(ids), 3, seed=seed)
    same(
        tt.rand(6),
        kind(bits(ours)).random(6, dtype=np.float32),
        what=f"rand(6) after manual_seed({ours}) and generate(..., seed={seed})",
    )
    same(model.generate(tt.tensor(ids), 3, temperature=0, seed=seed), write(net, ids, 3))


def modes_after(sizes, p, ids, flags, top_k):
    """Each module's mode before and after a generation, and what it wrote or said."""
    model = tt.GPT(*sizes)
    model.load_state_dict(p)
    modules = list(model.modules())
    for module, flag in zip(modules, flags * len(modules), strict=False):
        module.training = flag
    before = [module.training for module in modules]
    try:
        came = model.generate(tt.tensor(ids), 2, temperature=0, top_k=top_k).data
    except ValueError as error:
        came = str(error)
    return before, [module.training for module in modules], came


@exercise("GPT.generate", points=2)
def test_generate_gives_every_mode_back(lab, draw):
    """generate leaves every module in the mode in which it was, also after an error"""
    net, ids = prompted(draw, (5, 4, 2, 1, 6), 2, 3, 2, {"place": 0})
    for top_k in (None, 6):
        flags = [True, False, *(bool(v) for v in draw.permutation(6) % 2)]
        before, after, came = lab(modes_after, list(net[0]), net[1], ids, flags, top_k)
        same(
            after,
            [*(flags * len(before))[: len(before)]],
            what=f"training of every module after generate{' raised an error' if top_k else ''}",
            mistakes=[
                Mistake([False] * len(before), "the model stays in evaluation mode: dropout is off for good."),
                Mistake([True] * len(before), "modules that somebody had set to evaluation mode train again."),
                Mistake([flags[0]] * len(before), "all modules got the model's mode. Each gets back its own."),
            ],
        )
        if top_k is None:
            same_array(came, write(net, ids, 2), what="what was written")


def watched(sizes, p, ids, count):
    """How many ids each call of the model saw, whether it trained, whether its result keeps a graph; what it wrote."""
    seen = []

    class Watching(tt.GPT):
        def forward(self, ids):
            logits = tt.GPT.forward(self, ids)
            seen.append((ids.shape[1], self.training, logits.requires_grad))
            return logits

    model = Watching(*sizes)
    model.load_state_dict(p)
    model(tt.tensor(ids[:, :1]))
    text = model.generate(tt.tensor(ids), count, temperature=0)
    model(tt.tensor(ids[:, :1]))
    return seen, text.data


@exercise("GPT.generate", points=2)
def test_generate_records_nothing(lab, draw):
    """generate asks the model once for each token, without recording a graph"""
    longest, time, count = int(draw.integers(4, 6)), int(draw.integers(1, 4)), int(draw.integers(3, 6))
    asked = [min(time + i, longest) for i in range(count)]
    ends = [(1, True, True)]
    net, ids = prompted(draw, (5, 4, 2, 1, longest), 2, time, count)
    seen, text = lab(watched, list(net[0]), net[1], ids, count)
    same_array(text, write(net, ids, count), what="what was written at temperature 0")
    same(
        seen,
        [*ends, *[(n, False, False) for n in asked], *ends],
        what="(ids shown, training, requires_grad) of each call; one before and one after generate",
        mistakes=[
            Mistake([*ends, *[(n, False, True) for n in asked], *ends], "a graph was recorded: no_grad() is missing."),
            Mistake([*ends, *[(n, True, False) for n in asked], *ends], WITH_DROPOUT),
            Mistake([*ends, *[(n, True, True) for n in asked], *ends], "neither eval() nor no_grad() was on."),
        ],
    )


@exercise("GPT.generate", points=3)
def test_generate_uses_temperature_and_top_k(tt, draw):
    """generate draws from the top_k likeliest tokens at the given temperature, each row for itself"""
    temperature, spread = draw.choice([(0.4, 1), (3.0, 2)])  # the best is e^1, or e^2, times as likely as the last
    while True:
        net, ids = gpt(draw, 6, *width(draw), 1, 4), draw.integers(0, 6, 1, 3)
        net[1]["head.weight"] *= np.float32(spread / np.ptp(logits(net, ids)[0, -1]))
        scores = logits(net, ids)[0, -1]
        ranked = np.sort(scores)
        kept = np.where(scores >= ranked[-3], scores, -np.inf)
        zeros = np.where(scores >= ranked[-3], scores, 0)
        right = probabilities(kept / temperature)
        slips = [probabilities(v) for v in (kept, scores / temperature, scores, zeros / temperature)]
        if ranked[-3] - ranked[-4] > 0.01 and all(np.abs(slip - right).max() > 0.12 for slip in slips):
            break
    prompt = tt.tensor(np.tile(ids, (1500, 1)))
    text = made(tt, net).generate(prompt, 1, temperature=temperature, top_k=3, seed=draw.seed)
    same(tuple(text.shape), (1500, 4), what="shape of 1500 rows with 3 ids and one new")
    got = shares(np.asarray(text.data)[:, -1:], 6)
    same_array(
        got,
        right,
        dtype=np.float64,
        atol=0.08,
        rtol=0,
        what=f"shares of the new token in 1500 rows, temperature={temperature}, top_k=3",
        mistakes=[
            Mistake(slips[0], "the temperature was not handed on."),
            Mistake(slips[1], "top_k was not listened to."),
            Mistake(slips[2], "neither temperature nor top_k was listened to."),
            Mistake(slips[3], ZERO_FOR_FORBIDDEN),
            Mistake(np.eye(6)[scores.argmax()], ALWAYS_THE_LARGEST),
            Mistake(np.eye(6)[got.argmax()], "all rows drew the same token. Each row draws for itself."),
        ],
    )


@exercise("GPT.generate", points=2)
def test_generate_refuses_prompts_it_cannot_continue(tt, draw):
    """generate refuses prompts of other shapes, empty ones and negative counts, and names them"""
    rows, time = draw.sizes(2)
    net = gpt(draw, 5, *width(draw), 1, 8)
    model, ids = made(tt, net), draw.integers(0, 5, rows, time)
    fewer = -int(draw.integers(1, 90))
    raises(ValueError, lambda: model.generate(tt.tensor(ids[0]), 2), mentions=[(time,)])
    raises(ValueError, lambda: model.generate(tt.tensor(ids[:, :0]), 2), mentions=[(rows, 0)])
    raises(ValueError, lambda: model.generate(tt.tensor(ids), fewer), mentions=[fewer])
    same(model.generate(tt.tensor(ids), 0), ids, what="generate(ids, 0)")


@exercise("GPT.generate", points=1)
def test_generate_refuses_odd_ways_to_choose(tt, draw):
    """generate refuses negative temperatures and a top_k outside the vocabulary"""
    vocab, heads = int(draw.integers(5, 9)), 2
    net, ids = prompted(draw, (vocab, 4, heads, 1, 6), 2, 3, 1)
    model = made(tt, net)
    cold, more = -int(draw.integers(1, 80)) / 8, vocab + int(draw.integers(1, 90))
    raises(ValueError, lambda: model.generate(tt.tensor(ids), 1, temperature=cold), mentions=[cold])
    raises(ValueError, lambda: model.generate(tt.tensor(ids), 1, top_k=more), mentions=[more, vocab])
    raises(ValueError, lambda: model.generate(tt.tensor(ids), 1, top_k=0), mentions=[0, vocab])
    same(model.generate(tt.tensor(ids), 1, top_k=1), write(net, ids, 1), what="generate(ids, 1, top_k=1)")
