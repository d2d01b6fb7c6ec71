"""Modules 02, 10 and 14, written three more times from the docstrings alone, as unlike as honest solutions are."""

from __future__ import annotations

from functools import cache

from tests.grade.programs import dedented, rewritten
from tools import SOLUTIONS

PLAIN = {
    "activations": {
        "relu": """
            def relu(x: Tensor) -> Tensor:
                data = np.maximum(x.data, 0)
                return record("relu", data, (x,), result=data)
        """,
        "leaky_relu": """
            def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
                values = floats(x)
                data = np.where(values > 0, values, values * values.dtype.type(negative_slope))
                return record("leaky_relu", data, (x,), negative_slope=negative_slope)
        """,
        "sigmoid": """
            def sigmoid(x: Tensor) -> Tensor:
                values = floats(x)
                e = np.exp(-np.abs(values))
                data = np.where(values >= 0, 1 / (1 + e), e / (1 + e))
                return record("sigmoid", data, (x,), result=data)
        """,
        "tanh": """
            def tanh(x: Tensor) -> Tensor:
                return x.tanh()
        """,
        "gelu": """
            def gelu(x: Tensor, approximate: str = "tanh") -> Tensor:
                if approximate != "tanh":
                    raise ValueError(f"only the tanh form is available, not {approximate!r}")
                t = (math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)).tanh()
                return 0.5 * x * (1 + t)
        """,
        "softmax": """
            def softmax(x: Tensor, dim: int = -1) -> Tensor:
                check_dim(x, dim)
                if x.numel() == 0:
                    return x.clone()
                shifted = x - x.amax(dim=dim, keepdim=True).detach()
                e = shifted.exp()
                return e / e.sum(dim=dim, keepdim=True)
        """,
        "log_softmax": """
            def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
                check_dim(x, dim)
                if x.numel() == 0:
                    return x.clone()
                shifted = x - x.amax(dim=dim, keepdim=True).detach()
                return shifted - shifted.exp().sum(dim=dim, keepdim=True).log()
        """,
    },
    "tokenization": {
        "Vocabulary.assign": """
            def assign(self, tokens):
                self.tokens = require_tokens(list(self.special_tokens) + list(tokens))
                self.ids = {}
                for i, token in enumerate(self.tokens):
                    self.ids[token] = i
        """,
        "Vocabulary.train": """
            def train(self, tokens, vocab_size=None):
                different = set()
                for token in tokens:
                    different.add(require_text(token))
                for token in self.special_tokens:
                    different.discard(token)
                n = len(different) + len(self.special_tokens)
                if vocab_size is not None:
                    why = f"{len(different)} tokens and {len(self.special_tokens)} special ones"
                    require_size(vocab_size, n, why)
                self.assign(sorted(different))
                return self
        """,
        "Vocabulary.encode": """
            def encode(self, tokens):
                result = []
                for token in tokens:
                    require_text(token)
                    if token in self.ids:
                        result.append(self.ids[token])
                    elif self.unknown is not None:
                        result.append(self.ids[self.unknown])
                    else:
                        raise ValueError(
                            f"{token!r} is none of the {len(self.tokens)} tokens, and there is no unknown token to "
                            "stand for it"
                        )
                return result
        """,
        "Vocabulary.decode": """
            def decode(self, ids):
                return [self.tokens[i] for i in require_ids(ids, len(self.tokens))]
        """,
        "CharTokenizer.encode": """
            def encode(self, text, parse_special=False):
                if parse_special:
                    pieces = pieces_of(text, self.vocabulary.special_tokens)
                else:
                    pieces = pieces_of(text, [])
                tokens = []
                for piece, is_special in pieces:
                    if is_special:
                        tokens.append(piece)
                    else:
                        for character in piece:
                            tokens.append(character)
                return self.vocabulary.encode(tokens)
        """,
        "CharTokenizer.decode": """
            def decode(self, ids, skip_special=False):
                text = ""
                for token in self.vocabulary.decode(ids):
                    if skip_special and token in self.vocabulary.special_tokens:
                        continue
                    text += token
                return text
        """,
        "count_pairs": """
            def count_pairs(ids):
                counts = {}
                for pair in pairwise(ids):
                    counts[pair] = counts.get(pair, 0) + 1
                return counts
        """,
        "best_pair": """
            def best_pair(counts):
                best = None
                for pair in counts:
                    if best is None or counts[pair] > counts[best] or (counts[pair] == counts[best] and pair < best):
                        best = pair
                return best
        """,
        "merge": """
            def merge(ids, pair, new):
                result = []
                skip = False
                for i in range(len(ids)):
                    if skip:
                        skip = False
                        continue
                    if i < len(ids) - 1 and ids[i] == pair[0] and ids[i + 1] == pair[1]:
                        result.append(new)
                        skip = True
                    else:
                        result.append(ids[i])
                return result
        """,
        "Corpus.merge": """
            def merge(self, pair, new):
                if pair not in self.where:
                    return
                for n in list(self.where[pair]):
                    self.leave(n)
                    self.words[n] = merge(self.words[n], pair, new)
                    self.enter(n)
        """,
        "BPETokenizer.train": """
            def train(self, text, vocab_size):
                n = len(self.special_tokens)
                require_size(vocab_size, 256 + n, f"256 bytes and {n} special tokens")
                words = words_of(text)
                corpus = Corpus(words)
                self.forget()
                for _ in range(vocab_size - 256 - n):
                    pair = best_pair(corpus.counts)
                    if pair is None:
                        break
                    new = self.learn(pair)
                    corpus.merge(pair, new)
                return self
        """,
        "BPETokenizer.encode_chunk": """
            def encode_chunk(self, chunk):
                ids = list(chunk)
                while True:
                    best = None
                    for pair in count_pairs(ids):
                        if pair in self.merges and (best is None or self.merges[pair] < self.merges[best]):
                            best = pair
                    if best is None:
                        return ids
                    ids = merge(ids, best, self.merges[best])
        """,
        "BPETokenizer.decode": """
            def decode(self, ids, skip_special=False):
                data = b""
                special = list(self.special_ids.values())
                for i in require_ids(ids, self.vocab_size):
                    if skip_special and i in special:
                        continue
                    data += self.pieces[i]
                return data.decode("utf-8", errors="replace")
        """,
        "BPETokenizer.state": """
            def state(self):
                merges = [list(pair) for pair in self.merges]
                return {"special_tokens": self.special_tokens, "merges": merges}
        """,
    },
    "profiling": {
        "percentile": """
            def percentile(samples, q):
                if len(samples) == 0:
                    raise ValueError("no samples")
                if q < 0 or q > 100:
                    raise ValueError(f"q must be between 0 and 100, got {q}")
                s = sorted(samples)
                pos = q / 100 * (len(s) - 1)
                i = int(pos)
                if i == len(s) - 1:
                    return s[i]
                return s[i] + (pos - i) * (s[i + 1] - s[i])
        """,
        "measure_latency": """
            def measure_latency(function, *args, warmup=2, repeats=20, clock=time.perf_counter):
                if repeats < 1:
                    raise ValueError(f"repeats must be at least 1, got {repeats}")
                if warmup < 0:
                    raise ValueError(f"warmup must not be negative, got {warmup}")
                for i in range(warmup):
                    function(*args)
                times = []
                for i in range(repeats):
                    before = clock()
                    function(*args)
                    after = clock()
                    times.append(after - before)
                return Latency(tuple(times))
        """,
        "profile": """
            def profile(function=None, *, clock=time.perf_counter):
                if function is None:
                    return functools.partial(profile, clock=clock)
                samples = []

                @functools.wraps(function)
                def wrapped(*args, **kwargs):
                    before = clock()
                    try:
                        result = function(*args, **kwargs)
                    finally:
                        after = clock()
                        samples.append(after - before)
                    return result

                def latency():
                    return Latency(tuple(samples))

                wrapped.samples = samples
                wrapped.latency = latency
                return wrapped
        """,
        "measure_memory": """
            def measure_memory(function, *args):
                was_on = tracemalloc.is_tracing()
                if was_on:
                    tracemalloc.reset_peak()
                else:
                    tracemalloc.start()
                before = tracemalloc.get_traced_memory()[0]
                try:
                    result = function(*args)
                    now, peak = tracemalloc.get_traced_memory()
                finally:
                    if not was_on:
                        tracemalloc.stop()
                return Memory(peak - before, now - before)
        """,
        "count_parameters": """
            def count_parameters(model):
                return sum(p.numel() for p in model.parameters())
        """,
        "weight_bytes": """
            def weight_bytes(model):
                total = 0
                for p in model.parameters():
                    total += p.nbytes
                for b in model.buffers():
                    total += b.nbytes
                return total
        """,
        "linear_flops": """
            def linear_flops(layer, y, x):
                flops = 2 * layer.weight.shape[0] * y.numel()
                if layer.bias is not None:
                    flops += y.numel()
                return flops
        """,
        "conv2d_flops": """
            def conv2d_flops(layer, y, x):
                _, channels, kh, kw = layer.weight.shape
                flops = 2 * channels * kh * kw * y.numel()
                if layer.bias is not None:
                    flops += y.numel()
                return flops
        """,
        "layer_norm_flops": """
            def layer_norm_flops(layer, y, x):
                n = 1
                for size in layer.normalized_shape:
                    n *= size
                rows = y.numel() // n
                flops = rows * (5 * n + 5)
                if layer.weight is not None:
                    flops += y.numel()
                if layer.bias is not None:
                    flops += y.numel()
                return flops
        """,
        "attention_flops": """
            def attention_flops(layer, y, query, key=None, *rest, **masks):
                if key is None:
                    key = query
                size = query.shape[-1] // layer.num_heads
                batch = query.numel() // (query.shape[-1] * query.shape[-2])
                scores = batch * layer.num_heads * query.shape[-2] * key.shape[-2]
                return scores * 2 * size + scores + scores * 5 + scores * 2 * size
        """,
        "watched": """
            @contextlib.contextmanager
            def watched(model, around):
                all_places = places(model)
                try:
                    for place in all_places:
                        place.put(functools.partial(around, place))
                    yield
                finally:
                    for place in all_places:
                        place.restore()
        """,
        "Stopwatch.__call__": """
            def __call__(self, place, *args, **kwargs):
                self.inside.append(0.0)
                before = self.clock()
                try:
                    return place.call(*args, **kwargs)
                finally:
                    time_here = self.clock() - before
                    time_inside = self.inside.pop()
                    if len(self.inside) > 0:
                        self.inside[-1] += time_here
                    if place.name not in self.seconds:
                        self.seconds[place.name] = 0.0
                        self.calls[place.name] = 0
                    self.seconds[place.name] += time_here - time_inside
                    self.calls[place.name] += 1
        """,
        "Profiler.bottleneck": """
            def bottleneck(self, *inputs, warmup=1, repeats=5):
                rows = self.layers(*inputs, warmup=warmup, repeats=repeats)
                return max(rows, key=lambda row: row.seconds)
        """,
    },
}

TERSE = {
    "activations": {
        "relu": """
            def relu(x):
                y = x.data.clip(min=0)
                return record("relu", y, (x,), result=y)
        """,
        "leaky_relu": """
            def leaky_relu(x, negative_slope=0.01):
                f = floats(x)
                y = f.copy()
                y[f < 0] *= negative_slope
                return record("leaky_relu", y, (x,), negative_slope=negative_slope)
        """,
        "sigmoid": """
            def sigmoid(x):
                with np.errstate(over="ignore"):
                    y = np.reciprocal(1 + np.exp(-floats(x)))
                return record("sigmoid", y, (x,), result=y)
        """,
        "tanh": """
            def tanh(x):
                return Tensor.tanh(x)
        """,
        "gelu": """
            def gelu(x, approximate="tanh"):
                if approximate == "tanh":
                    return x * ((x + x * x * x * 0.044715) * 0.7978845608028654).tanh() * 0.5 + x * 0.5
                raise ValueError(approximate)
        """,
        "softmax": """
            def softmax(x, dim=-1):
                check_dim(x, dim)
                f = floats(x)
                if not f.size:
                    return x.clone()
                y = np.exp(f - np.max(f, axis=dim, keepdims=True))
                y /= np.sum(y, axis=dim, keepdims=True)
                return record("softmax", y, (x,), dim=dim, result=y)
        """,
        "log_softmax": """
            def log_softmax(x, dim=-1):
                check_dim(x, dim)
                f = floats(x)
                if not f.size:
                    return x.clone()
                f = f - f.max(axis=dim, keepdims=True)
                y = f - np.log(np.exp(f).sum(axis=dim, keepdims=True))
                return record("log_softmax", y, (x,), dim=dim, result=y)
        """,
    },
    "tokenization": {
        "Vocabulary.assign": """
            def assign(self, tokens):
                self.tokens = require_tokens(chain(self.special_tokens, tokens))
                self.ids = dict(zip(self.tokens, range(len(self.tokens))))
        """,
        "Vocabulary.train": """
            def train(self, tokens, vocab_size=None):
                new = sorted(set(map(require_text, tokens)).difference(self.special_tokens))
                a, b = len(new), len(self.special_tokens)
                vocab_size is None or require_size(vocab_size, a + b, f"{a} tokens and {b} special ones")
                self.assign(new)
                return self
        """,
        "Vocabulary.encode": """
            def encode(self, tokens):
                def one(t):
                    i = self.ids.get(require_text(t), self.ids.get(self.unknown))
                    if i is None:
                        raise ValueError(
                            f"{t!r} is none of the {len(self)} tokens, and there is no unknown token to stand for it"
                        )
                    return i

                return [one(t) for t in tokens]
        """,
        "Vocabulary.decode": """
            def decode(self, ids):
                return list(map(self.tokens.__getitem__, require_ids(ids, self.vocab_size)))
        """,
        "CharTokenizer.encode": """
            def encode(self, text, parse_special=False):
                known = self.vocabulary.special_tokens * bool(parse_special)
                parts = ((p,) if s else tuple(p) for p, s in pieces_of(text, known))
                return self.vocabulary.encode(chain.from_iterable(parts))
        """,
        "CharTokenizer.decode": """
            def decode(self, ids, skip_special=False):
                drop = set(self.vocabulary.special_tokens) if skip_special else set()
                return "".join(t for t in self.vocabulary.decode(ids) if t not in drop)
        """,
        "count_pairs": """
            def count_pairs(ids):
                return dict(Counter(zip(ids, ids[1:])))
        """,
        "best_pair": """
            def best_pair(counts):
                return min(counts, key=lambda p: (-counts[p], p), default=None)
        """,
        "merge": """
            def merge(ids, pair, new):
                out, rest = [], list(reversed(ids))
                while rest:
                    i = rest.pop()
                    out.append(new if rest and (i, rest[-1]) == pair and (rest.pop(), True) else i)
                return out
        """,
        "Corpus.merge": """
            def merge(self, pair, new):
                for n in tuple(self.where.get(pair, ())):
                    after = merge(self.words[n], pair, new)
                    self.leave(n)
                    self.words[n] = after
                    self.enter(n)
        """,
        "BPETokenizer.train": """
            def train(self, text, vocab_size):
                k = len(self.special_tokens)
                require_size(vocab_size, 256 + k, f"256 bytes and {k} special tokens")
                c = Corpus(words_of(text))
                self.forget()
                while c.counts and self.vocab_size < vocab_size:
                    p = best_pair(c.counts)
                    c.merge(p, self.learn(p))
                return self
        """,
        "BPETokenizer.encode_chunk": """
            def encode_chunk(self, chunk):
                ids = [*chunk]
                while known := [self.merges[p] for p in zip(ids, ids[1:]) if p in self.merges]:
                    new = min(known)
                    pair = next(p for p, n in self.merges.items() if n == new)
                    ids = merge(ids, pair, new)
                return ids
        """,
        "BPETokenizer.decode": """
            def decode(self, ids, skip_special=False):
                gone = self.special_ids.values() if skip_special else ()
                kept = (self.pieces[i] for i in require_ids(ids, self.vocab_size) if i not in gone)
                return bytes().join(kept).decode(errors="replace")
        """,
        "BPETokenizer.state": """
            def state(self):
                return dict(special_tokens=self.special_tokens, merges=[[a, b] for a, b in self.merges])
        """,
    },
    "profiling": {
        "percentile": """
            def percentile(samples, q):
                if not (samples and 0 <= q <= 100):
                    raise ValueError(f"{q}% of {len(samples)} samples")
                s = sorted(samples)
                whole, part = divmod(q * (len(s) - 1), 100)
                a, b = s[int(whole)], s[-1 if whole + 1 >= len(s) else int(whole) + 1]
                return a + (b - a) * part / 100
        """,
        "measure_latency": """
            def measure_latency(function, *args, warmup=2, repeats=20, clock=time.perf_counter):
                if repeats < 1 or warmup < 0:
                    raise ValueError((repeats, warmup)[repeats >= 1])

                def once():
                    t = clock()
                    function(*args)
                    return clock() - t

                for _ in range(warmup):
                    function(*args)
                return Latency(tuple(once() for _ in range(repeats)))
        """,
        "profile": """
            def profile(function=None, *, clock=time.perf_counter):
                def decorate(f):
                    @functools.wraps(f)
                    def timed(*a, **k):
                        t = clock()
                        try:
                            return f(*a, **k)
                        finally:
                            timed.samples.append(clock() - t)

                    timed.samples = []
                    timed.latency = lambda: Latency(tuple(timed.samples))
                    return timed

                return decorate(function) if function else decorate
        """,
        "measure_memory": """
            def measure_memory(function, *args):
                with contextlib.ExitStack() as stack:
                    if not tracemalloc.is_tracing():
                        tracemalloc.start()
                        stack.callback(tracemalloc.stop)
                    tracemalloc.reset_peak()
                    base, _ = tracemalloc.get_traced_memory()
                    kept = function(*args)
                    return Memory(*(m - base for m in reversed(tracemalloc.get_traced_memory())))
        """,
        "count_parameters": """
            def count_parameters(model):
                return sum(map(Tensor.numel, model.parameters()))
        """,
        "weight_bytes": """
            def weight_bytes(model):
                return sum(t.nbytes for t in model.parameters()) + sum(t.nbytes for t in model.buffers())
        """,
        "linear_flops": """
            def linear_flops(layer, y, x):
                return y.numel() * (2 * x.shape[-1] + (layer.bias is not None))
        """,
        "conv2d_flops": """
            def conv2d_flops(layer, y, x):
                w = layer.weight
                return y.numel() * (2 * (w.numel() // w.shape[0]) + bool(layer.bias is not None))
        """,
        "layer_norm_flops": """
            def layer_norm_flops(layer, y, x):
                n = functools.reduce(operator.mul, layer.normalized_shape)
                return y.numel() // n * 5 + y.numel() * (5 + sum(t is not None for t in (layer.weight, layer.bias)))
        """,
        "attention_flops": """
            def attention_flops(layer, y, query, key=None, *rest, **masks):
                *b, t, d = query.shape
                s = t if key is None else key.shape[-2]
                return math.prod(b) * t * s * (4 * d + 6 * layer.num_heads)
        """,
        "watched": """
            @contextlib.contextmanager
            def watched(model, around):
                with contextlib.ExitStack() as stack:
                    for p in places(model):
                        stack.callback(p.restore)
                        p.put(lambda *a, p=p, **k: around(p, *a, **k))
                    yield
        """,
        "Stopwatch.__call__": """
            def __call__(self, place, *args, **kwargs):
                self.inside += [0.0]
                t = self.clock()
                try:
                    return place.call(*args, **kwargs)
                finally:
                    t = self.clock() - t
                    own = t - self.inside.pop()
                    self.inside[-1:] = [s + t for s in self.inside[-1:]]
                    for table, more in ((self.seconds, own), (self.calls, 1)):
                        table[place.name] = table.get(place.name, 0) + more
        """,
        "Profiler.bottleneck": """
            def bottleneck(self, *inputs, **options):
                return max(self.layers(*inputs, **options), key=operator.attrgetter("seconds"))
        """,
    },
}

CAREFUL = {
    "activations": {
        "relu": """
            def relu(x):
                positive = x.data > 0
                result = np.where(positive, x.data, np.zeros((), dtype=x.dtype))
                return record("relu", result, (x,), result=result)
        """,
        "leaky_relu": """
            def leaky_relu(x, negative_slope=0.01):
                array = floats(x)
                scaled = array * array.dtype.type(negative_slope)
                result = np.where(array < 0, scaled, array)
                return record("leaky_relu", result, (x,), negative_slope=negative_slope)
        """,
        "sigmoid": """
            def sigmoid(x):
                array = floats(x)
                result = np.empty_like(array)
                positive = array >= 0
                result[positive] = 1 / (1 + np.exp(-array[positive]))
                exponential = np.exp(array[~positive])
                result[~positive] = exponential / (1 + exponential)
                return record("sigmoid", result, (x,), result=result)
        """,
        "tanh": """
            def tanh(x):
                result = x.tanh()
                return result
        """,
        "gelu": """
            def gelu(x, approximate="tanh"):
                if approximate not in ("tanh",):
                    raise ValueError(f"approximate={approximate!r} is not supported, use 'tanh'")
                cubed = x * x * x
                argument = math.sqrt(2.0 / math.pi) * (x + 0.044715 * cubed)
                cdf = 0.5 * (1.0 + argument.tanh())
                return x * cdf
        """,
        "softmax": """
            def softmax(x, dim=-1):
                check_dim(x, dim)
                if 0 in x.shape:
                    return x.clone()
                array = floats(x)
                largest = array.max(axis=dim, keepdims=True)
                exponentials = np.exp(array - largest)
                total = add_up(exponentials, dim, keepdim=True)
                result = exponentials / total
                return record("softmax", result, (x,), dim=dim, result=result)
        """,
        "log_softmax": """
            def log_softmax(x, dim=-1):
                check_dim(x, dim)
                if 0 in x.shape:
                    return x.clone()
                array = floats(x)
                largest = array.max(axis=dim, keepdims=True)
                centred = array - largest
                total = add_up(np.exp(centred), dim, keepdim=True)
                result = centred - np.log(total)
                return record("log_softmax", result, (x,), dim=dim, result=result)
        """,
    },
    "tokenization": {
        "Vocabulary.assign": """
            def assign(self, tokens):
                every_token = [*self.special_tokens, *tokens]
                self.tokens = require_tokens(every_token)
                self.ids = {token: position for position, token in enumerate(self.tokens)}
        """,
        "Vocabulary.train": """
            def train(self, tokens, vocab_size=None):
                ordinary = {require_text(token) for token in tokens}
                ordinary = ordinary - set(self.special_tokens)
                needed = len(ordinary) + len(self.special_tokens)
                if vocab_size is not None:
                    require_size(
                        vocab_size, needed, f"{len(ordinary)} tokens and {len(self.special_tokens)} special ones"
                    )
                self.assign(sorted(ordinary))
                return self
        """,
        "Vocabulary.encode": """
            def encode(self, tokens):
                checked = [require_text(token) for token in tokens]
                if self.unknown is None:
                    missing = [token for token in checked if token not in self.ids]
                    if missing:
                        raise ValueError(
                            f"{missing[0]!r} is none of the {self.vocab_size} tokens, "
                            "and there is no unknown token to stand for it"
                        )
                    return [self.ids[token] for token in checked]
                fallback = self.ids[self.unknown]
                return [self.ids.get(token, fallback) for token in checked]
        """,
        "Vocabulary.decode": """
            def decode(self, ids):
                numbers = require_ids(ids, self.vocab_size)
                return [self.tokens[number] for number in numbers]
        """,
        "CharTokenizer.encode": """
            def encode(self, text, parse_special=False):
                special_tokens = self.vocabulary.special_tokens if parse_special else []
                tokens = []
                for piece, is_special in pieces_of(text, special_tokens):
                    tokens += [piece] if is_special else list(piece)
                return self.vocabulary.encode(tokens)
        """,
        "CharTokenizer.decode": """
            def decode(self, ids, skip_special=False):
                tokens = self.vocabulary.decode(ids)
                if not skip_special:
                    return "".join(tokens)
                return "".join([token for token in tokens if token not in self.vocabulary.special_ids])
        """,
        "count_pairs": """
            def count_pairs(ids):
                counts = Counter()
                counts.update(pairwise(ids))
                return dict(counts)
        """,
        "best_pair": """
            def best_pair(counts):
                if len(counts) == 0:
                    return None
                highest = max(counts.values())
                candidates = sorted(pair for pair in counts if counts[pair] == highest)
                return candidates[0]
        """,
        "merge": """
            def merge(ids, pair, new):
                result = []
                position = 0
                first, second = pair
                while position < len(ids):
                    has_next = position + 1 < len(ids)
                    if has_next and ids[position] == first and ids[position + 1] == second:
                        result.append(new)
                        position += 2
                        continue
                    result.append(ids[position])
                    position += 1
                return result
        """,
        "Corpus.merge": """
            def merge(self, pair, new):
                affected = list(self.where.get(pair, []))
                for number in affected:
                    self.leave(number)
                    word = self.words[number]
                    self.words[number] = merge(word, pair, new)
                    self.enter(number)
        """,
        "BPETokenizer.train": """
            def train(self, text, vocab_size):
                smallest = 256 + len(self.special_tokens)
                require_size(vocab_size, smallest, f"256 bytes and {len(self.special_tokens)} special tokens")
                corpus = Corpus(words_of(text))
                self.forget()
                while self.vocab_size < vocab_size:
                    pair = best_pair(corpus.counts)
                    if pair is None:
                        return self
                    corpus.merge(pair, self.learn(pair))
                return self
        """,
        "BPETokenizer.encode_chunk": """
            def encode_chunk(self, chunk):
                ids = list(chunk)
                while len(ids) >= 2:
                    candidates = {pair: self.merges[pair] for pair in pairwise(ids) if pair in self.merges}
                    if not candidates:
                        break
                    earliest = min(candidates, key=candidates.get)
                    ids = merge(ids, earliest, candidates[earliest])
                return ids
        """,
        "BPETokenizer.decode": """
            def decode(self, ids, skip_special=False):
                numbers = require_ids(ids, self.vocab_size)
                special = frozenset(self.special_ids.values())
                pieces = []
                for number in numbers:
                    if not (skip_special and number in special):
                        pieces.append(self.pieces[number])
                return b"".join(pieces).decode("utf-8", "replace")
        """,
        "BPETokenizer.state": """
            def state(self):
                saved = {"special_tokens": self.special_tokens}
                saved["merges"] = [list(pair) for pair in self.merges]
                return saved
        """,
    },
    "profiling": {
        "percentile": """
            def percentile(samples, q):
                if not samples:
                    raise ValueError("percentile of no samples")
                if not 0 <= q <= 100:
                    raise ValueError(f"q is a percentage from 0 to 100, not {q}")
                ordered = sorted(samples)
                position = (len(ordered) - 1) * q / 100
                lower = math.floor(position)
                upper = math.ceil(position)
                fraction = position - lower
                return ordered[lower] * (1 - fraction) + ordered[upper] * fraction
        """,
        "measure_latency": """
            def measure_latency(function, *args, warmup=2, repeats=20, clock=time.perf_counter):
                for name, value, least in (("repeats", repeats, 1), ("warmup", warmup, 0)):
                    if value < least:
                        raise ValueError(f"{name} is at least {least}, not {value}")
                for _ in itertools.repeat(None, warmup):
                    function(*args)
                seconds = [0.0] * repeats
                for number in range(repeats):
                    start = clock()
                    function(*args)
                    end = clock()
                    seconds[number] = end - start
                return Latency(tuple(seconds))
        """,
        "profile": """
            def profile(function=None, *, clock=time.perf_counter):
                if function is None:
                    return lambda wrapped: profile(wrapped, clock=clock)
                seconds = []

                def wrapper(*args, **kwargs):
                    start = clock()
                    try:
                        return function(*args, **kwargs)
                    finally:
                        end = clock()
                        seconds.append(end - start)

                functools.update_wrapper(wrapper, function)
                wrapper.samples = seconds
                wrapper.latency = lambda: Latency(tuple(seconds))
                return wrapper
        """,
        "measure_memory": """
            def measure_memory(function, *args):
                started_here = not tracemalloc.is_tracing()
                if started_here:
                    tracemalloc.start()
                try:
                    tracemalloc.reset_peak()
                    in_use, _ = tracemalloc.get_traced_memory()
                    result = function(*args)
                    in_use_now, most = tracemalloc.get_traced_memory()
                finally:
                    if started_here:
                        tracemalloc.stop()
                del result
                return Memory(peak=most - in_use, kept=in_use_now - in_use)
        """,
        "count_parameters": """
            def count_parameters(model):
                total = 0
                for parameter in model.parameters():
                    total += parameter.numel()
                return total
        """,
        "weight_bytes": """
            def weight_bytes(model):
                tensors = list(model.parameters()) + list(model.buffers())
                return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        """,
        "linear_flops": """
            def linear_flops(layer, y, x):
                in_features, _ = layer.weight.shape
                per_output = 2 * in_features
                if layer.bias is not None:
                    per_output += 1
                return per_output * y.numel()
        """,
        "conv2d_flops": """
            def conv2d_flops(layer, y, x):
                filter_size = math.prod(layer.weight.shape[1:])
                per_output = 2 * filter_size
                if layer.bias is not None:
                    per_output += 1
                return per_output * y.numel()
        """,
        "layer_norm_flops": """
            def layer_norm_flops(layer, y, x):
                size = math.prod(layer.normalized_shape)
                number = y.numel() // size
                each = 5 * size + 5
                for learnt in (layer.weight, layer.bias):
                    if learnt is not None:
                        each += size
                return number * each
        """,
        "attention_flops": """
            def attention_flops(layer, y, query, key=None, *rest, **masks):
                source = key if key is not None else query
                embed_dim = query.shape[-1]
                queries, keys = query.shape[-2], source.shape[-2]
                batch = math.prod(query.shape[:-2])
                products = 2 * embed_dim * queries * keys * batch
                softmaxes = 6 * layer.num_heads * queries * keys * batch
                return 2 * products + softmaxes
        """,
        "watched": """
            @contextlib.contextmanager
            def watched(model, around):
                changed = []
                try:
                    for place in places(model):
                        changed.append(place)
                        place.put(functools.partial(around, place))
                    yield
                finally:
                    while changed:
                        changed.pop().restore()
        """,
        "Stopwatch.__call__": """
            def __call__(self, place, *args, **kwargs):
                name = place.name
                self.inside.append(0.0)
                start = self.clock()
                try:
                    output = place.call(*args, **kwargs)
                finally:
                    duration = self.clock() - start
                    children = self.inside.pop()
                    self.seconds.setdefault(name, 0.0)
                    self.calls.setdefault(name, 0)
                    self.seconds[name] += duration - children
                    self.calls[name] += 1
                    if self.inside:
                        self.inside[-1] = self.inside[-1] + duration
                return output
        """,
        "Profiler.bottleneck": """
            def bottleneck(self, *inputs, warmup=1, repeats=5):
                slowest = None
                for line in self.layers(*inputs, warmup=warmup, repeats=repeats):
                    if slowest is None or line.seconds > slowest.seconds:
                        slowest = line
                return slowest
        """,
    },
}

VARIANTS = {"plain": PLAIN, "terse": TERSE, "careful": CAREFUL}
MODULES = ("activations", "tokenization", "profiling")
TOPS = {"profiling": "import itertools\nimport operator\n"}


@cache
def variant(name: str, module: str) -> str:
    """A module of a variant, whole; `course` is the course's own solution."""
    source = (SOLUTIONS / f"{module}.py").read_text("utf-8")
    if name == "course":
        return source
    for exercise, code in VARIANTS[name][module].items():
        source = rewritten(source, exercise, dedented(code))
    return source.replace("import math\n", f"import math\n{TOPS.get(module, '')}", 1)
