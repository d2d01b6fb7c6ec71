"""Hints for the sample runs, so that their text does not move with the course's own."""

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "softmax": Ladder(
        ask="What do the numbers of each row add up to?",
        idea="Every row adds up to 1.",
        algorithm="Subtract the row's maximum, take exp, divide by the row's sum.",
        smaller="softmax(tensor([0., 0.])) = [0.5, 0.5]",
        lesson="From scores to probabilities",
    ),
    "Tanh.forward": Ladder(ask="a", idea="b", algorithm="c"),
}
