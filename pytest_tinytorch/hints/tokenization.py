"""Hints for module 10, tokenization."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "Vocabulary.assign": Ladder(
        ask=(
            "Special tokens <pad> and <end>, ordinary ones cat and sat. Write the four under each other and number "
            "them from 0. If the ordinary ones came first, what would become of the id of <end> when one more is "
            "learnt?"
        ),
        idea=(
            "One list, special tokens first, is already the way from id to token: the id is the place. The way back "
            "is a dict that holds each token's place. sat has id 3."
        ),
        algorithm=(
            "self.tokens = require_tokens([*self.special_tokens, *tokens]). Then self.ids = {token: number for number, "
            "token in enumerate(self.tokens)}."
        ),
        smaller='Vocabulary(["cat"], ["<end>"]).tokens is ["<end>", "cat"]',
        lesson="Text as numbers",
        proof="""
        >>> Vocabulary(["cat", "sat"], ["<pad>", "<end>"]).ids["sat"]
        3
        >>> Vocabulary(["cat"], ["<end>"]).tokens
        ['<end>', 'cat']
        """,
    ),
    "Vocabulary.train": Ladder(
        ask=(
            "Two people train on the same two sentences, one of them in the other order. Both number words as they "
            "come. Can the one's model read the other's ids?"
        ),
        idea=(
            "Each different token once, in an order that does not depend on the text: sorted. What is a special token "
            "already must not come a second time. For b, a, b the tokens are a and b."
        ),
        algorithm=(
            "found = sorted({require_text(token) for token in tokens} - set(self.special_tokens)). If vocab_size is "
            "not None: require_size(vocab_size, len(self.special_tokens) + len(found), a few words). Then "
            "self.assign(found), and return self. Check first and assign last, so that an error changes nothing."
        ),
        smaller='Vocabulary().train(["b", "a", "b"]).tokens is ["a", "b"]',
        lesson="Text as numbers",
        proof="""
        >>> Vocabulary().train(["b", "a", "b"]).tokens
        ['a', 'b']
        """,
    ),
    "Vocabulary.encode": Ladder(
        ask=(
            "A vocabulary has cat, sat and the special token <unk>. What do you write for dog if <unk> is the unknown "
            "token? What if nobody said that there is one?"
        ),
        idea=(
            "There are three cases: the token is known; it is not, and self.unknown stands for it; it is not, and "
            "there is nothing to stand for it. The third is an error, and a token that is no string is one always."
        ),
        algorithm=(
            "For each token: known = token if token in self.ids else self.unknown. If known is not the token, call "
            "require_text(token). If known is None, raise ValueError with the token in its message. Append "
            "self.ids[known]. Return the list."
        ),
        smaller='Vocabulary(["a", "b"]).encode(["b", "a"]) is [1, 0]',
        lesson="Text as numbers",
        proof="""
        >>> Vocabulary(["a", "b"]).encode(["b", "a"])
        [1, 0]
        """,
    ),
    "Vocabulary.decode": Ladder(
        ask="tokens is [cat, sat]. What does Python give for tokens[-1], and what should your tokenizer say to id -1?",
        idea=(
            "Id and place in the list are the same number, so decoding is indexing. Python counts negative places from "
            "the end, and a model that writes -1 is wrong: require_ids refuses it."
        ),
        algorithm="Return [self.tokens[number] for number in require_ids(ids, len(self))].",
        smaller='Vocabulary(["a", "b"]).decode([1]) is ["b"]',
        lesson="Text as numbers",
        proof="""
        >>> Vocabulary(["a", "b"]).decode([1])
        ['b']
        """,
    ),
    "CharTokenizer.encode": Ladder(
        ask=(
            "The text ab<end> with parse_special: how many tokens are that? Without: how many? Which of them come "
            "from one piece?"
        ),
        idea=(
            "The vocabulary does the work, once the text is a list of tokens. A piece that is special is one token. "
            "Any other piece is a str, and extending a list by a str adds its characters one by one."
        ),
        algorithm=(
            "tokens = []. For piece, special in pieces_of(text, self.vocabulary.special_tokens if parse_special else "
            "()): tokens.extend([piece] if special else piece). Return self.vocabulary.encode(tokens)."
        ),
        smaller='CharTokenizer().train("abc").encode("cab") is [2, 0, 1]',
        lesson="Text as numbers",
        proof="""
        >>> CharTokenizer().train("abc").encode("cab")
        [2, 0, 1]
        """,
    ),
    "CharTokenizer.decode": Ladder(
        ask="Ids 1 and 0, for b and a. The vocabulary gives a list of two tokens. What is missing for a text?",
        idea=(
            "Joined with nothing in between, the tokens are the text. To leave special tokens out, keep those that are "
            "not among self.vocabulary.special_tokens before joining."
        ),
        algorithm=(
            "tokens = self.vocabulary.decode(ids). If skip_special: tokens = [token for token in tokens if token not "
            'in self.vocabulary.special_tokens]. Return "".join(tokens).'
        ),
        smaller='CharTokenizer().train("ab").decode([1, 0]) is "ba"',
        lesson="Text as numbers",
        proof="""
        >>> CharTokenizer().train("ab").decode([1, 0])
        'ba'
        """,
    ),
    "count_pairs": Ladder(
        ask="How many pairs of neighbours have 4 ids? Write them down for 1 2 1 2. Which one occurs twice?",
        idea=(
            "Every id but the last begins a pair. 1 2 1 2 has three: (1, 2), (2, 1), (1, 2). They overlap: the second "
            "id of one is the first of the next."
        ),
        algorithm=(
            "counts = {}. For pair in pairwise(ids): counts[pair] = counts.get(pair, 0) + 1. Return counts. Or "
            "return dict(Counter(pairwise(ids)))."
        ),
        smaller="count_pairs([1, 2, 1, 2]) is {(1, 2): 2, (2, 1): 1}",
        lesson="The pair that occurs most",
        proof="""
        >>> import tinytorch
        >>> tinytorch.tokenization.count_pairs([1, 2, 1, 2])
        {(1, 2): 2, (2, 1): 1}
        """,
    ),
    "best_pair": Ladder(
        ask=(
            "In {(2, 1): 3, (1, 2): 3, (5, 5): 2}: which pairs occur most often? Of these, which one is smallest? "
            "Which one does max(counts) give, and why?"
        ),
        idea=(
            "Two questions, one after the other. How often does the best one occur? 3 times. Which pairs occur that "
            "often? The smallest of them, (1, 2), is it."
        ),
        algorithm=(
            "If not counts: return None. most = max(counts.values()). Return min(pair for pair, times in "
            "counts.items() if times == most). min compares tuples by their first number, then by their second."
        ),
        smaller="best_pair({(2, 1): 3, (1, 2): 3}) is (1, 2)",
        lesson="The pair that occurs most",
        proof="""
        >>> import tinytorch
        >>> tinytorch.tokenization.best_pair({(2, 1): 3, (1, 2): 3, (5, 5): 2})
        (1, 2)
        """,
    ),
    "merge": Ladder(
        ask=(
            "Merge the pair (7, 7) to 9 in 7 7 7 5 with a pencil. Which place do you look at after the first match, "
            "and what do you do at the last id?"
        ),
        idea=(
            "9 7 5. Walk along the old list and fill a new one. A match writes the new id and goes on two places; "
            "anything else copies one id and goes on one. The last id has no right neighbour, but it is copied."
        ),
        algorithm=(
            "merged, i = [], 0. While i < len(ids): if i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair: append new, "
            "i += 2; otherwise append ids[i], i += 1. Return merged. A for loop cannot go two places at once."
        ),
        smaller="merge([7, 7, 7, 5], (7, 7), 9) is [9, 7, 5]",
        lesson="The pair that occurs most",
        proof="""
        >>> import tinytorch
        >>> tinytorch.tokenization.merge([7, 7, 7, 5], (7, 7), 9)
        [9, 7, 5]
        """,
    ),
    "Corpus.merge": Ladder(
        ask=(
            "The words ban, nab and bab; the pair is (a, n). Which words change? Which pairs does ban lose when an "
            "becomes one id, and which one does it get?"
        ),
        idea=(
            "Only words in where[pair] change, here ban. Take all its pairs out of the counts, merge it, put all its "
            "pairs back in. (b, a) and (a, n) are gone, (b, an) is new: [98, 256]. No case needs special care."
        ),
        algorithm=(
            "For number in list(self.where.get(pair, ())): self.leave(number); self.words[number] = "
            "merge(self.words[number], pair, new); self.enter(number). The order matters: leave reads the old word, "
            "enter the new one."
        ),
        smaller="Corpus({b'ab': 1, b'b': 1}) after merge((97, 98), 256) has words [[256], [98]]",
        lesson="A thousand times over",
        proof="""
        >>> import tinytorch
        >>> corpus = tinytorch.tokenization.Corpus({b"ban": 1, b"nab": 1, b"bab": 1})
        >>> corpus.merge((97, 110), 256)
        >>> corpus.words[0], sorted(corpus.counts)
        ([98, 256], [(97, 98), (98, 97), (98, 256), (110, 97)])
        >>> corpus = tinytorch.tokenization.Corpus({b"ab": 1, b"b": 1})
        >>> corpus.merge((97, 98), 256)
        >>> corpus.words
        [[256], [98]]
        """,
    ),
    "BPETokenizer.train": Ladder(
        ask=(
            "banana: merge by hand until two ids are left, the most frequent pair each time, of equals the smallest. "
            "How many ids has the tokenizer then, beside the 256 bytes?"
        ),
        idea=(
            "Each round is the same: best pair, a new id for it, merge it everywhere. The next round looks at what "
            "this one left. banana becomes b an an a, then ban an a, then ban ana: 3 merges. Stop at vocab_size, or "
            "when best_pair gives None."
        ),
        algorithm=(
            "require_size(vocab_size, 256 + the number of special tokens, a few words). corpus = "
            "Corpus(words_of(text)); self.forget(). While self.vocab_size < vocab_size: pair = "
            "best_pair(corpus.counts); if pair is None, break; corpus.merge(pair, self.learn(pair)). Return self. "
            "forget comes after all that may fail."
        ),
        smaller='BPETokenizer().train("banana", 257).merges is {(97, 110): 256}',
        lesson="The pair that occurs most",
        proof="""
        >>> BPETokenizer().train("banana", 257).merges
        {(97, 110): 256}
        >>> three = BPETokenizer().train("banana", 256 + 3)
        >>> [three.pieces[n] for n in three.encode("banana")]
        [b'ban', b'ana']
        """,
    ),
    "BPETokenizer.encode_chunk": Ladder(
        ask=(
            "Learnt: u g first, then h u. The word is hug. Both merges fit, and they cannot both be made. Which one "
            "was made when hug was in the training text?"
        ),
        idea=(
            "u g: at that time h u was not known. So of all pairs in the word that are in self.merges, merge the one "
            "with the smallest id, everywhere, and look again. hug becomes [104, 256]."
        ),
        algorithm=(
            "ids = list(chunk). While len(ids) > 1: pair = min(pairwise(ids), key=lambda pair: self.merges.get(pair, "
            "math.inf)). If pair is not in self.merges, no pair of the word is: break. Otherwise ids = merge(ids, "
            "pair, self.merges[pair]). Return ids."
        ),
        smaller="with merges (117, 103), then (104, 117): encode_chunk(b'hug') is [104, 256]",
        lesson="In the order in which they were learnt",
        proof="""
        >>> tokenizer = BPETokenizer()
        >>> tokenizer.learn((117, 103)), tokenizer.learn((104, 117)), tokenizer.encode_chunk(b"hug")
        (256, 257, [104, 256])
        """,
    ),
    "BPETokenizer.decode": Ladder(
        ask=(
            "é is the bytes 195 and 169. What is the text of id 195 alone? What must you have in your hand before "
            "you can read it?"
        ),
        idea=(
            "All bytes. An id stands for bytes, self.pieces[id], and only their sequence is UTF-8. Join, then decode "
            "once. A lone 255 is no UTF-8 anywhere: it becomes the replacement sign."
        ),
        algorithm=(
            "numbers = require_ids(ids, self.vocab_size). If skip_special: special = set(self.special_ids.values()), "
            'and keep the numbers that are not in it. Return b"".join(self.pieces[number] for number in '
            'numbers).decode("utf-8", errors="replace").'
        ),
        smaller='BPETokenizer().decode([195, 169]) is "é"',
        lesson="Bytes, so that nothing is unknown",
        proof="""
        >>> BPETokenizer().decode([195, 169]), BPETokenizer().decode([195]), BPETokenizer().decode([255])
        ('é', '�', '�')
        """,
    ),
    "BPETokenizer.state": Ladder(
        ask=(
            "JSON has lists, strings, numbers, and objects whose keys are strings. What becomes of a dict with the key "
            "(97, 110) in it? How would you write down merges, in order, with lists only?"
        ),
        idea=(
            "A dict keeps the order in which it was filled, so its keys in order are the merges in order. Each becomes "
            "a list of two ids: [97, 110]. The new ids follow from the order."
        ),
        algorithm=(
            'Return {"special_tokens": self.special_tokens, "merges": [list(pair) for pair in self.merges]}. A loop '
            "over a dict gives its keys."
        ),
        smaller='after learn((97, 110)), state()["merges"] is [[97, 110]]',
        lesson="In the order in which they were learnt",
        proof="""
        >>> BPETokenizer().train("banana", 257).state()["merges"]
        [[97, 110]]
        """,
    ),
}
