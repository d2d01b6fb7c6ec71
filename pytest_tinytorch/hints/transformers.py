"""Hints for module 13: a question, the idea with one number, and the algorithm in words."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

THINK = "A thought for every token"
STREAM = "A stream with branches"
WHOLE = "A pile of blocks"
WRITE = "One token, and again"

LADDERS = {
    "FeedForward.__init__": Ladder(
        ask=(
            "A token of 6 numbers goes in, and one of 6 comes out. Between them there is room for four times as "
            "many. Which two sizes has the first Linear layer, which the second, and how many numbers do both "
            "weights hold together?"
        ),
        idea=(
            "6 to 24 and 24 to 6: 288 numbers in the two weights. The names matter, since saved files and checks look "
            "for them: up, down, dropout. A width that is given takes the place of the 24, a width of None does not."
        ),
        algorithm=(
            "super().__init__(). width = 4 * d_model if d_hidden is None else d_hidden. self.up = Linear(d_model, "
            "width), self.down = Linear(width, d_model), self.dropout = Dropout(dropout)."
        ),
        smaller="FeedForward(2).up.weight.shape is (2, 8)",
        lesson=THINK,
        proof="""
        >>> FeedForward(2).up.weight.shape
        (2, 8)
        >>> network = FeedForward(6)
        >>> network.up.weight.numel() + network.down.weight.numel()
        288
        """,
    ),
    "FeedForward.forward": Ladder(
        ask=(
            "Two Linear layers in a row, x @ A @ B, are one layer with the weight A @ B. What has to stand between "
            "them so that the second one is worth its numbers? And which of the three parts acts last?"
        ),
        idea=(
            "gelu between them, dropout around all. With all weights 1, biases 0 and two hidden units, 2 becomes "
            "2 · gelu(2) = 3.9092. Without gelu it would be 4, with gelu at the end 3.9999."
        ),
        algorithm="return self.dropout(self.down(gelu(self.up(x)))). No loop: Linear takes all tokens at once.",
        smaller="with weights 1, biases 0 and d_hidden 2, FeedForward(1) makes 3.9092 of 2",
        lesson=THINK,
        proof="""
        >>> 2 * gelu(tensor([2.0])), gelu(tensor([4.0]))
        (tensor([3.9092]), tensor([3.9999]))
        """,
    ),
    "EncoderBlock.forward": Ladder(
        ask=(
            "If attention and the feed-forward network both gave zeros, what should come out of the block, so that a "
            "hundred such blocks lose nothing? Draw the path from x to y that touches no layer."
        ),
        idea=(
            "x itself comes out. So each branch reads a normalised copy, and its answer is added to the stream: x = x "
            "+ branch(norm(x)), twice, the second time from what the first one left. The norm is never on the path."
        ),
        algorithm=(
            "x = x + self.dropout(self.attention(self.norm1(x), attn_mask=attn_mask)). Then return x + "
            "self.feed_forward(self.norm2(x)), with the new x in both places; the network has its own dropout."
        ),
        smaller="with weights and biases 0, EncoderBlock(2, 1)(x) is x",
        lesson=STREAM,
        proof="""
        >>> block = EncoderBlock(2, 1)
        >>> for parameter in block.parameters():
        ...     parameter.data[...] = 0
        >>> block(tensor([[[1.0, 2.0]]])).tolist()
        [[[1.0, 2.0]]]
        """,
    ),
    "DecoderBlock.forward": Ladder(
        ask=(
            "A translator has written three words of its own and has five of the other language before it. Which of "
            "the eight may the second written word look at? In which order would you look: at the own text or at the "
            "other one first?"
        ),
        idea=(
            "At the first two of its own (is_causal=True) and at all five others. First back, then across, then think: "
            "three branches of one stream. Queries come from norm_cross(x), keys and values are the memory as it is."
        ),
        algorithm=(
            "x = x + dropout(attention(norm1(x), is_causal=True)). If memory is not None: raise ValueError with "
            "memory.shape if self.cross_attention is None, else x = x + dropout(cross_attention(norm_cross(x), "
            "memory)). Return x + feed_forward(norm2(x)). Everything with self. in front."
        ),
        smaller="DecoderBlock(2, 1) gives the first token the same answer with and without others behind it",
        lesson=STREAM,
        proof="""
        >>> block, x = DecoderBlock(2, 1), randn(1, 3, 2)
        >>> bool(((block(x)[:, 0] - block(x[:, :1])[:, 0]).abs() < 1e-5).data.all())
        True
        """,
    ),
    "GPT.__init__": Ladder(
        ask=(
            "Three blocks of 100 numbers each: how many parameters has Sequential([block] * 3), and how many has "
            "Sequential([make() for _ in range(3)])? Module.parameters gives each tensor once."
        ),
        idea=(
            "100 and 300. A list times three holds the same object three times. Two tables (tokens: vocab_size rows, "
            "positions: max_len rows), the blocks, a norm, a head without bias, and at the end the first numbers."
        ),
        algorithm=(
            "super().__init__(), keep vocab_size and max_len. tokens = Embedding(vocab_size, d_model); positions = "
            "LearnedPositionalEncoding(max_len, d_model); blocks = Sequential([DecoderBlock(d_model, num_heads, "
            "dropout) for _ in range(num_layers)]); norm = LayerNorm(d_model); head = Linear(d_model, vocab_size, "
            "bias=False); self.init_weights()."
        ),
        smaller="len(GPT(5, 4, 2, 3, 8).blocks) is 3",
        lesson=WHOLE,
        proof="""
        >>> len(GPT(5, 4, 2, 3, 8).blocks)
        3
        >>> def count(layers): return sum(p.numel() for p in Sequential(layers).parameters())
        >>> layer = Linear(9, 10)
        >>> count([layer] * 3), count([Linear(9, 10) for _ in range(3)])
        (100, 300)
        """,
    ),
    "GPT.init_weights": Ladder(
        ask=(
            "With which probability should a model that knows nothing expect each of 65 letters? What is the loss "
            "then, -log of it? And how large may the scores be for that to come out?"
        ),
        idea=(
            "1/65 each, so the loss is log 65 = 4.174, and the scores must be nearly 0: weights of standard deviation "
            "0.02. Three kinds of parameters: two dimensions are drawn, biases become 0, norms' weights stay at 1."
        ),
        algorithm=(
            "for name, p in self.named_parameters(): if p.ndim == 2: normal_(p, 0.0, 0.02); elif "
            "name.endswith('bias'): p.data[...] = 0."
        ),
        smaller="after init_weights, the largest bias of GPT(5, 4, 2, 1, 8) is 0",
        lesson=WHOLE,
        proof="""
        >>> round(math.log(65), 3), round(float(normal_(zeros(300, 300), 0.0, 0.02).data.std()), 3)
        (4.174, 0.02)
        >>> max(float(p.data.max()) for name, p in GPT(5, 4, 2, 1, 8).named_parameters() if name.endswith("bias"))
        0.0
        """,
    ),
    "GPT.forward": Ladder(
        ask=(
            "Write the shape behind each step for 2 texts of 3 ids, d_model 8 and 10 tokens: ids, tokens, positions, "
            "blocks, norm, head. At which steps does it change?"
        ),
        idea=(
            "(2, 3), then (2, 3, 8) four times, then (2, 3, 10). Check the ids first. The norm comes before the head, "
            "since the stream has grown with every block that added to it."
        ),
        algorithm=(
            "self._check_ids(ids). x = self.positions(self.tokens(ids)), which adds the positions. Then "
            "self.head(self.norm(self.blocks(x))) is the answer, for all places."
        ),
        smaller="GPT(10, 8, 2, 1, 4)(tensor([[1, 2, 3]])).shape is (1, 3, 10)",
        lesson=WHOLE,
        proof="""
        >>> GPT(10, 8, 2, 1, 4)(tensor([[1, 2, 3]])).shape
        (1, 3, 10)
        """,
    ),
    "gpt_parameter_count": Ladder(
        ask=(
            "Take d = 2 and count one block with a pencil: four Linear layers of attention, one to 8 and one back, two "
            "norms. How many numbers are weights with two sizes, and how many are not?"
        ),
        idea=(
            "16 + 16 + 16 = 48 in weights, which is 12 d². Biases: 8 of attention, 8 + 2 of the network, and 8 in two "
            "norms: 26 = 13 d. Together 74. Around the blocks: two tables, a norm of 2 d, a head."
        ),
        algorithm=(
            "block = 12 * d * d + 13 * d. Return vocab_size * d + max_len * d + num_layers * block + 2 * d + d * "
            "vocab_size, with d = d_model."
        ),
        smaller="gpt_parameter_count(65, 64, 2, 64) is 112512",
        lesson=WHOLE,
        proof="""
        >>> gpt_parameter_count(65, 64, 2, 64), sum(p.numel() for p in DecoderBlock(2, 1).parameters())
        (112512, 74)
        """,
    ),
    "keep_top_k": Ladder(
        ask=(
            "Of the scores 3, 1, 4, 2 the two largest shall stay. What is the smallest number that stays? If you know "
            "it, how do you find all that must go?"
        ),
        idea=(
            "The second largest is 3, and whatever is less becomes -inf: [3, -inf, 4, -inf]. Each row has its own such "
            "number, in a column of shape (..., 1). Not 0: exp(0) is 1, and 1 is drawn."
        ),
        algorithm=(
            "If not 1 <= top_k <= logits.shape[-1]: raise ValueError with both. least = np.partition(logits.data, "
            "-top_k, axis=-1)[..., -top_k, None]. Return logits.masked_fill(logits < from_numpy(least), -math.inf)."
        ),
        smaller="keep_top_k(tensor([[1., 2.]]), 1) is [[-inf, 2.]]",
        lesson=WRITE,
        proof="""
        >>> keep_top_k(tensor([3.0, 1.0, 4.0, 2.0]), 2).tolist(), keep_top_k(tensor([[1.0, 2.0]]), 1).tolist()
        ([3.0, -inf, 4.0, -inf], [[-inf, 2.0]])
        """,
    ),
    "sample": Ladder(
        ask=(
            "Two scores, 0 and 1. A random number is added to each, and the larger sum wins. When does 0 win? What "
            "changes if the random numbers are multiplied with 0, and what if with 100?"
        ),
        idea=(
            "Times 0 the larger score wins always, times 100 it is nearly a toss. With Gumbel's noise times the "
            "temperature the shares are exactly softmax(scores / temperature): 0.2689 and 0.7311 here at 1. Every "
            "number of (B, V) gets noise of its own."
        ),
        algorithm=(
            "If not 0 <= temperature < math.inf: raise ValueError with it. rng = default_generator if generator is "
            "None else generator. scores = logits.data + temperature * rng.gumbel(size=logits.shape). Return "
            "from_numpy(scores.argmax(axis=-1, keepdims=True))."
        ),
        smaller="sample(tensor([[1., 2.]]), temperature=0) is [[1]]",
        lesson=WRITE,
        proof="""
        >>> sample(tensor([[1.0, 2.0]]), temperature=0).tolist(), softmax(tensor([0.0, 1.0]))
        ([[1]], tensor([0.2689, 0.7311]))
        """,
    ),
    "GPT.generate": Ladder(
        ask=(
            "max_len is 4 and the text has 6 ids. Which of them does the model see, at which place of its answer (B, "
            "4, V) is the question what comes next, and which shape has the new column?"
        ),
        idea=(
            "ids[:, -4:], then logits[:, -1], which is (B, V), then a column (B, 1) behind the ids. Around the loop: "
            "eval, no_grad, one generator from the seed. Behind it, in a finally, every module's own mode."
        ),
        algorithm=(
            "self._check_prompt(...). generator = default_generator, or np.random.default_rng(seed). modes = [(m, "
            "m.training) for m in self.modules()]. self.eval(); try: with no_grad(): max_new_tokens times: logits = "
            "self(ids[:, -self.max_len:])[:, -1]; keep_top_k if asked; ids = cat([ids, sample(logits, temperature, "
            "generator)], dim=1). finally: m.training = mode for each pair. return ids."
        ),
        smaller="GPT(5, 4, 2, 1, 8).generate(tensor([[3]]), 2).shape is (1, 3)",
        lesson=WRITE,
        proof="""
        >>> GPT(5, 4, 2, 1, 8).generate(tensor([[3]]), 2).shape
        (1, 3)
        """,
    ),
}
