"""Hints for module 09, spatial."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

WINDOW = "A window that moves"
MATRIX = "Every window a row"
COLLECTS = "Who has read this pixel"
POOLING = "Smaller images"
NORM = "Statistics of a batch"

LADDERS = {
    "output_size": Ladder(
        ask=(
            "Draw 5 pixels as boxes. A window of 3 begins at pixel 0. What is the last pixel at which it may begin? "
            "So how many places are there at steps of 1, and how many at steps of 2?"
        ),
        idea=(
            "The first window takes `kernel` pixels; each step needs `stride` more. So count the whole steps that "
            "what is left over allows, and add 1 for the first place. For size 5, kernel 3, stride 2: (5 - 3) // 2 "
            "+ 1 = 2."
        ),
        algorithm=(
            "Padding lies on both sides, so the image is size + 2 * padding long. Return (size + 2 * padding - "
            "kernel) // stride + 1. Two slashes: what is too short for a whole step is dropped."
        ),
        smaller="output_size(3, 3) is 1",
        lesson=WINDOW,
        proof="""
        >>> from tinytorch.spatial import output_size
        >>> output_size(5, 3, 2), output_size(3, 3)
        (2, 1)
        """,
    ),
    "conv2d_loops": Ladder(
        ask=(
            "Lay the filter 0 1 / 2 3 on the top left corner of the 3×3 image 0 … 8. Which four products do you "
            "add? And which four for the place r = 1, c = 0, that is one row further down?"
        ),
        idea=(
            "Three loops choose a number of the result (image, filter, place), and inside three more run over what "
            "the filter reads there: channel, row, column. The pixel to read is row r·sh + i - ph, column c·sw + j "
            "- pw. The top left corner of the example gives 19."
        ),
        algorithm=(
            "Make y of zeros, (N, F, oh, ow), dtype of x. For image, f, r, c in np.ndindex(y.shape): total = "
            "bias[f], or 0.0 without one. For k, i, j in np.ndindex(C, kh, kw): row = r * sh + i - ph, column = c * "
            "sw + j - pw; only if both lie inside (0 <= row < H, 0 <= column < W) add x[image, k, row, column] * "
            "weight[f, k, i, j]. Then y[image, f, r, c] = total. Return y."
        ),
        smaller="the 3×3 image 0 … 8 with the filter 0 1 / 2 3 gives 19 25 / 37 43",
        lesson=WINDOW,
        proof="""
        >>> conv2d_loops(np.arange(9.0).reshape(1, 1, 3, 3), np.arange(4.0).reshape(1, 1, 2, 2)).tolist()
        [[[[19.0, 25.0], [37.0, 43.0]]]]
        >>> conv2d_loops(np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1))).item() + 0.0
        1.0
        """,
    ),
    "windows": Ladder(
        ask=(
            "Write the four 2×2 windows of the 3×3 image 0 … 8 as four rows of four numbers. How often does the 4 "
            "in the middle appear? And what would the first row be if each pixel had two channels, a and b?"
        ),
        idea=(
            "sliding_window_view has all the numbers already, in the wrong order: its dimensions are (N, rows, "
            "columns, C, kh, kw). A slice with steps throws away the places that the stride leaps over. In each row "
            "the pixels come first and the channels last, so C must move behind kw."
        ),
        algorithm=(
            "view = sliding_window_view(images, kernel, axis=(1, 2))[:, ::stride[0], ::stride[1]]. Its shape is n, "
            "oh, ow, C, kh, kw. Transpose with (0, 1, 2, 4, 5, 3), then reshape to (n * oh * ow, kh * kw * C); here "
            "NumPy copies. For 3×3 and a 2×2 window the first row is 0, 1, 3, 4."
        ),
        smaller="the first window of the 3×3 image 0 … 8 is the row 0, 1, 3, 4",
        lesson=MATRIX,
        proof="""
        >>> from tinytorch.spatial import windows
        >>> windows(np.arange(9.0).reshape(1, 3, 3, 1), (2, 2), (1, 1))[0].tolist()
        [0.0, 1.0, 3.0, 4.0]
        """,
    ),
    "conv2d": Ladder(
        ask=(
            "The rows of `windows` are as long as a filter has numbers. If two filters stand beside each other as "
            "columns, what is the shape of the product? And which of its numbers belong to the first image?"
        ),
        idea=(
            "The filter's numbers must come in the order of a row: filter row, filter column, channel. So weight "
            "(F, C, kh, kw) is transposed to (kh, kw, C, F) before it becomes a matrix. The product has a row for "
            "each place and a column for each filter: as an array it is (N, oh, ow, F)."
        ),
        algorithm=(
            "patches = windows(channels_last(x.data, padding), (kh, kw), stride). y = patches @ "
            "weight.data.transpose(2, 3, 1, 0).reshape(-1, F). Add bias.data where there is one. data = "
            "y.reshape(N, oh, ow, F).transpose(0, 3, 1, 2), with oh and ow from output_size. Then the record, whose "
            "inputs hold the bias only where there is one."
        ),
        smaller="conv2d of ones (1, 1, 2, 2) with a filter of ones is [[[[4.]]]]",
        lesson=MATRIX,
        proof="""
        >>> conv2d(ones(1, 1, 2, 2), ones(1, 1, 2, 2)).tolist()
        [[[[4.0]]]]
        """,
    ),
    "conv2d_to_weight": Ladder(
        ask=(
            "y = a @ b was done in module 05: which of a.T @ g and g @ b.T is the gradient of b? Here the windows "
            "are a and the filters b. What shape comes out, and what shape does the weight have?"
        ),
        idea=(
            "The gradient of the matrix of filters is patches.T @ slopes, (kh·kw·C, F). For the 3×3 image 0 … 8 and "
            "slopes of 1 that is 8, 12, 20, 24. What remains is the way back to (F, C, kh, kw): undo in reverse "
            "order what conv2d did to the weight."
        ),
        algorithm=(
            "filters, channels, kh, kw = shape. Reshape patches.T @ slopes to (kh, kw, channels, filters): this "
            "takes the long rows apart in the order in which they were put together. Then transpose(3, 2, 0, 1) "
            "gives (filters, channels, kh, kw)."
        ),
        smaller="the 3×3 image 0 … 8 and slopes of 1: 8 12 / 20 24",
        lesson=COLLECTS,
        proof="""
        >>> from tinytorch.spatial import conv2d_to_weight, windows
        >>> patches = windows(np.arange(9.0).reshape(1, 3, 3, 1), (2, 2), (1, 1))
        >>> conv2d_to_weight(np.ones((4, 1)), patches, (1, 1, 2, 2)).tolist()
        [[[[8.0, 12.0], [20.0, 24.0]]]]
        """,
    ),
    "conv2d_to_x": Ladder(
        ask=(
            "Choose the middle pixel of a 3×3 image under a 2×2 filter. Which four windows read it, and which "
            "filter pixel met it in each? Each of them owes it slope times weight. What does the corner pixel get?"
        ),
        idea=(
            "Turn the question around: not pixel by pixel, but filter pixel by filter pixel. (i, j) read the "
            "strided slice of pixels i, i + sh, … and j, j + sw, …, one for each place. Add slopes times weight[:, "
            ":, i, j] to that slice. Filter 0 1 / 2 3 and slopes of 1 give 6 in the middle."
        ),
        algorithm=(
            "Zeros (N, H + 2·ph, W + 2·pw, C), dtype of slopes. For each i, j: part = (slopes @ weight[:, :, i, "
            "j]).reshape(N, oh, ow, C); add it with += to zeros[:, i : i + sh * oh : sh, j : j + sw * ow : sw]. At "
            "the end cut out [:, ph : ph + H, pw : pw + W], and transpose(0, 3, 1, 2). oh and ow come from "
            "output_size."
        ),
        smaller="3×3 image, filter 0 1 / 2 3, slopes of 1: 0 1 1 / 2 6 4 / 2 5 3",
        lesson=COLLECTS,
        proof="""
        >>> from tinytorch.spatial import conv2d_to_x
        >>> weight = np.arange(4.0).reshape(1, 1, 2, 2)
        >>> conv2d_to_x(np.ones((4, 1)), weight, (1, 1, 3, 3), (1, 1), (0, 0))[0, 0].tolist()
        [[0.0, 1.0, 1.0], [2.0, 6.0, 4.0], [2.0, 5.0, 3.0]]
        """,
    ),
    "max_pool2d": Ladder(
        ask=(
            "Cut the image 1 2 5 3 / 4 0 1 2 into two 2×2 windows. Write down the top left pixels of both windows, "
            "then the top right ones, and so on: four pairs. How do you get both maxima from these four pairs?"
        ),
        idea=(
            "There are few pixels in a window and many windows. `places` gives an array for each pixel of the "
            "window, with all windows in it. The largest, element by element, of these few arrays is the result: 4 "
            "and 5 in the example."
        ),
        algorithm=(
            "kernel, stride, padding = pool_sizes(...). views = places(padded(x.data, padding, -np.inf), kernel, "
            "stride). Start with a copy of the first (views are windows into x: without a copy you write into the "
            "input), then data = np.maximum(data, view) for each of the others. Then the record, with result=data."
        ),
        smaller="max_pool2d of [[1, 2], [4, 0]] with a window of 2 is [[4]]",
        lesson=POOLING,
        proof="""
        >>> max_pool2d(tensor([[[[1.0, 2.0, 5.0, 3.0], [4.0, 0.0, 1.0, 2.0]]]]), 2).tolist()
        [[[[4.0, 5.0]]]]
        """,
    ),
    "max_pool2d_backward": Ladder(
        ask=(
            "A window holds 3 7 / 7 1 and its gradient is 10. Which pixels could raise the maximum? PyTorch gives "
            "the 10 to one of them: the first in reading order. What do you have to remember while you go through "
            "the four?"
        ),
        idea=(
            "Go through the pixels of the window, all windows at once. A pixel wins where it equals the result and "
            "no earlier one has won. So keep a boolean array, a True for each window that is still open, and close "
            "the windows that found their winner."
        ),
        algorithm=(
            "values = padded(x.data, padding, -np.inf); to_x = np.zeros_like(values); is_open all True, in the "
            "shape of result. For value, place in zip(places(values, kernel, stride), places(to_x, kernel, "
            "stride)): wins = (value == result) & is_open; is_open &= ~wins; place += grad * wins. Cut to_x[:, :, "
            "ph : ph + h, pw : pw + w]."
        ),
        smaller="max_pool2d of [[5, 5]] with a window of (1, 2) and a gradient of 8: [[8, 0]]",
        lesson=POOLING,
        proof="""
        >>> x = tensor([[[[5.0, 5.0]]]], requires_grad=True)
        >>> (max_pool2d(x, (1, 2)) * 8).sum().backward()
        >>> x.grad.tolist()
        [[[[8.0, 0.0]]]]
        """,
    ),
    "avg_pool2d": Ladder(
        ask=(
            "The window 1 2 / 4 0 has which mean? And a window at the border whose left half is padding: if the "
            "padding counts as zeros, by how many numbers do you divide?"
        ),
        idea=(
            "It is max_pool2d with two changes: the border is 0 in place of -inf, and the few arrays that `places` "
            "gives are added up. Then divide by kh · kw once. 1 2 / 4 0 gives 1.75."
        ),
        algorithm=(
            "kernel, stride, padding = pool_sizes(...). views = places(padded(x.data, padding, 0), kernel, stride). "
            "data = a copy of the first; data += each of the others; data /= kernel[0] * kernel[1]. In place, so "
            "that the dtype stays. Then the record."
        ),
        smaller="avg_pool2d of [[1, 2], [4, 0]] with a window of 2 is [[1.75]]",
        lesson=POOLING,
        proof="""
        >>> avg_pool2d(tensor([[[[1.0, 2.0], [4.0, 0.0]]]]), 2).item()
        1.75
        """,
    ),
    "avg_pool2d_backward": Ladder(
        ask=(
            "y is the mean of four pixels. Raise one of them by a little h: by how much does y rise? The gradient "
            "of y is 8: what does each of the four get, and what does a pixel get that lies in two windows?"
        ),
        idea=(
            "Each pixel of a window gets grad / (kh · kw), whatever its number was. With a gradient of 8 and a "
            "window of 2×2 that is 2 for each. All windows at once: the same array is added to each of the kh·kw "
            "places."
        ),
        algorithm=(
            "to_x = padded(np.zeros_like(x.data), padding, 0). share = grad / (kh * kw). For place in places(to_x, "
            "kernel, stride): place += share. The places are views, so the sums arrive in to_x. Return to_x[:, :, "
            "ph : ph + h, pw : pw + w]."
        ),
        smaller="a 2×2 window with a gradient of 8 gives 2 to each pixel",
        lesson=POOLING,
        proof="""
        >>> x = Parameter(ones(1, 1, 2, 2))
        >>> (avg_pool2d(x, 2) * 8).sum().backward()
        >>> x.grad.tolist()
        [[[[2.0, 2.0], [2.0, 2.0]]]]
        """,
    ),
    "batch_statistics": Ladder(
        ask=(
            "rows is (n, C). You want one mean for each of the C channels. Along which dimension do you sum, and "
            "what shape is left? Which values are subtracted from which when you write rows - mean?"
        ),
        idea=(
            "Sum down the columns. mean (C,) broadcasts against rows (n, C), so that each column loses its own "
            "mean. The variance is the mean of the squares of what is left, by n: for 1, 2, 3, 4 it is 1.25, about "
            "the mean 2.5."
        ),
        algorithm=(
            "mean = np.ones(n, rows.dtype) @ rows / n, or rows.mean(0). centred = rows - mean. var = (centred * "
            'centred).mean(0), or np.einsum("nc,nc->c", centred, centred) / n, which makes no array of squares. '
            "Return mean, centred, var."
        ),
        smaller="rows [[1.], [2.], [3.], [4.]]: mean [2.5], var [1.25]",
        lesson=NORM,
        proof="""
        >>> from tinytorch.spatial import batch_statistics
        >>> mean, _, var = batch_statistics(np.array([[1.0], [2.0], [3.0], [4.0]]))
        >>> mean, var
        (array([2.5]), array([1.25]))
        """,
    ),
    "batch_norm": Ladder(
        ask=(
            "centred is (N·H·W, C), var and weight are (C,). Which of the arrays in y = centred · rstd · weight + "
            "bias broadcast, and along which dimension? In what order do the rows of the result lie in memory?"
        ),
        idea=(
            "Everything is done in rows: one number per channel broadcasts over all of them. rstd = 1 / sqrt(var + "
            "eps), eps inside the root. Only at the end does it become images, and the rows are (N, H, W, C), not "
            "(N, C, H, W)."
        ),
        algorithm=(
            "rstd = 1 / np.sqrt(var + eps). y = centred * (rstd * weight.data), the small product first; y += "
            "bias.data. data = y.reshape(N, H, W, C).transpose(0, 3, 1, 2). Then the record, with centred=centred, "
            "rstd=rstd, fixed=fixed."
        ),
        smaller="centred [[-1.], [1.]], var [1.], eps 0, weight [3.], bias [5.]: 2 and 8",
        lesson=NORM,
        proof="""
        >>> from tinytorch.spatial import batch_norm
        >>> centred = np.array([[-1.0], [1.0]])
        >>> batch_norm(zeros(2, 1, 1, 1), tensor([3.0]), tensor([5.0]), centred, np.ones(1), 0.0).reshape(2).tolist()
        [2.0, 8.0]
        """,
    ),
    "batch_norm_backward": Ladder(
        ask=(
            "Add the same number to all values of a channel: what happens to z? Multiply all centred values by 2: "
            "what happens to z? So which two directions of a gradient can have no effect on the loss, and must be "
            "taken out?"
        ),
        idea=(
            "You wrote this rule for LayerNorm. Here the average runs over the rows of a channel. Gradients of bias "
            "and weight are two sums, to_bias and to_weight; divided by n they are the two averages that the "
            "gradient of x needs. z = centred · rstd need not be made as an array."
        ),
        algorithm=(
            "slopes = channels_last(grad).reshape(-1, C), n its length. to_bias = slopes.sum(0). to_weight = "
            "(slopes * centred).sum(0) * rstd. scale = weight.data * rstd. to_x = slopes * scale; unless fixed, "
            "subtract centred * (scale * rstd * to_weight / n) and scale * to_bias / n. Return to_x as (N, H, W, C) "
            "transposed to (N, C, H, W), to_weight, to_bias."
        ),
        smaller="two values in a channel: the gradient of x is (nearly) 0",
        lesson=NORM,
        proof="""
        >>> x = tensor([[[[1.0, 3.0]]]], requires_grad=True)
        >>> (BatchNorm2d(1)(x) * tensor([5.0, 7.0])).sum().backward()
        >>> bool(x.grad.abs().amax() < 0.001)
        True
        """,
    ),
    "BatchNorm2d.forward": Ladder(
        ask=(
            "A batch has the mean 2.5 and the variance 1.25 over 4 values. With momentum 0.1, where do running_mean "
            "(from 0) and running_var (from 1) stand after it? Which of the numbers is y normalised with?"
        ),
        idea=(
            "Two ways to a centred array and a variance. While training they come from batch_statistics, and the "
            "running ones move: 0.9 · old + 0.1 · new, where the new variance is 1.25 · 4/3. In eval centred is "
            "rows - running_mean, and the variance running_var."
        ),
        algorithm=(
            "rows = self.rows(x), n its length. If self.training: mean, centred, var = batch_statistics(rows); "
            "running_mean.data *= 1 - momentum, then += momentum * mean; the same for running_var with var * n / (n "
            "- 1). Else: centred = rows - self.running_mean.data, var = self.running_var.data. Return batch_norm(x, "
            "self.weight, self.bias, centred, var, self.eps, fixed=not self.training)."
        ),
        smaller="after one batch of 1, 2, 3, 4: running_mean [0.25], running_var [1.0667]",
        lesson=NORM,
        proof="""
        >>> norm = BatchNorm2d(1, momentum=0.1)
        >>> norm(tensor([[[[1.0, 2.0, 3.0, 4.0]]]])).shape
        (1, 1, 1, 4)
        >>> norm.running_mean, norm.running_var
        (tensor([0.2500]), tensor([1.0667]))
        >>> 2.5 * 0.1, 1.25 * 4 / 3 * 0.1 + 0.9 > 1.06
        (0.25, True)
        """,
    ),
}
