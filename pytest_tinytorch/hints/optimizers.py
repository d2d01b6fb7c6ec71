"""Hints for module 06, optimizers."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "Optimizer.add_param_group": Ladder(
        ask=(
            "An optimiser has the defaults lr 0.1 and momentum 0.9. A group says lr 0.01 and nothing else. Which "
            "two numbers hold for it? And if its parameters come from a generator, what does a second loop over "
            "them find?"
        ),
        idea=(
            "lr 0.01 and momentum 0.9: the defaults first, and over them what the group says. A generator is "
            "empty after one loop, so keep a list. Look at everything before you append: what was refused must "
            "leave nothing behind."
        ),
        algorithm=(
            "params = group['params']; make it [params] if it is a Tensor, else list(params). options = "
            "{**self.defaults, **(group without 'params')}; self.check_options(options). taken = the id of each "
            "parameter in self.param_groups. For each p: TypeError naming type(p).__name__ if it is no Tensor; "
            "ValueError naming p.shape if not p.is_leaf, or if id(p) is in taken; then add its id. At the end "
            "append {'params': params, **options}."
        ),
        smaller="SGD([p]).param_groups[0]['params'] is [p]",
        lesson="A step downhill",
        proof="""
        >>> {**{"lr": 0.1, "momentum": 0.9}, **{"lr": 0.01}}
        {'lr': 0.01, 'momentum': 0.9}
        """,
    ),
    "Optimizer.zero_grad": Ladder(
        ask=(
            "Two groups hold three parameters each. How many loops reach all six? After zero_grad(), what does "
            "p.grad say, and after zero_grad(set_to_none=False), what is in the array that p.grad had before?"
        ),
        idea=(
            "Two nested loops: groups, then group['params']. As a rule p.grad becomes None. With "
            "set_to_none=False the array stays and its numbers become 0; a gradient that is None has no array, "
            "and stays None."
        ),
        algorithm=(
            "for group in self.param_groups: for p in group['params']: if set_to_none or p.grad is None, p.grad = "
            "None; else p.grad.data[...] = 0, which writes into the array that is there."
        ),
        smaller="p.grad = tensor([3.]); after SGD([p]).zero_grad() it is None",
        lesson="A step downhill",
        proof="""
        >>> p = tensor([1.0], requires_grad=True)
        >>> p.grad = tensor([3.0])
        >>> SGD([p]).zero_grad()
        >>> p.grad is None
        True
        """,
    ),
    "Optimizer.step": Ladder(
        ask=(
            "Three parameters: one has a gradient, one has a gradient of zeros, one has None. Which of them does "
            "a step hand to the rule, and which of them have a state afterwards?"
        ),
        idea=(
            "The first two. Zeros are a gradient: momentum rolls on, weight decay pulls. None means that the "
            "parameter took no part. A state is made once, just before the first step, and is then the same dict "
            "in every step: t counts 1, 2, 3."
        ),
        algorithm=(
            "loss = None if closure is None else closure(). For each group and each p in group['params']: if "
            "p.grad is None, continue. If p not in self.state, self.state[p] = self.start(p.data, group). Then "
            "in_pieces(self.update, p.data, p.grad.data, self.state[p], group). After the loops return loss."
        ),
        smaller="p = 1 with gradient 0.5: SGD([p], lr=0.5).step() makes it 0.75",
        lesson="A step downhill",
        proof="""
        >>> p = tensor([1.0], requires_grad=True)
        >>> p.grad = tensor([0.5])
        >>> SGD([p], lr=0.5).step()
        >>> p.item()
        0.75
        """,
    ),
    "SGD.update": Ladder(
        ask=(
            "p is 2 and the gradient 3: does the loss grow or fall to the right of 2? Which way do you go, and "
            "where do you stand with lr = 0.5? Who sees it if you write the new number into another array?"
        ),
        idea=(
            "It grows, so go left: 2 - 0.5 * 3 = 0.5. The model holds the array that p names. `p -= ...` writes "
            "into that array; `p = p - ...` makes a new one that nobody else knows."
        ),
        algorithm=(
            "grad = self.gradient(p, grad, group). If group['momentum'], grad = self.velocity(grad, state, "
            "group). Then p -= group['lr'] * grad. lr comes from group at every step, since a schedule may have "
            "changed it. Nothing is returned."
        ),
        smaller="p = 1 with gradient 0.5 and lr = 0.5 becomes 0.75",
        lesson="A step downhill",
        proof="""
        >>> 2 - 0.5 * 3
        0.5
        >>> 1 - 0.5 * 0.5
        0.75
        """,
    ),
    "Optimizer.gradient": Ladder(
        ask=(
            "The penalty 0.25 / 2 * p^2 is added to the loss. What does it add to the gradient at p = 2, and at p "
            "= -4? If the loss is a gain to be climbed, should the penalty be climbed, too?"
        ),
        idea=(
            "It adds 0.25 * p: 0.5 and -1. A step goes against it, so both numbers come nearer to 0. For maximize "
            "only the gradient of the loss changes its sign; the decay is added afterwards, with its own sign."
        ),
        algorithm=(
            "if group['maximize']: grad = -grad. if group['weight_decay']: grad = grad + group['weight_decay'] * "
            "p. Return grad. Write `grad = ...`, never `grad += ...` or `grad *= ...`: the array belongs to "
            "p.grad."
        ),
        smaller="p = 2, gradient 0.5, weight_decay 0.25: 0.5 + 0.25 * 2 = 1",
        lesson="Two ways to shrink",
        proof="""
        >>> 0.25 * 2, 0.25 * -4, 0.5 + 0.25 * 2
        (0.5, -1.0, 1.0)
        """,
    ),
    "SGD.velocity": Ladder(
        ask=(
            "Gradients 1, 1, 1 and mu = 0.5. The first velocity is 1. Write down the second and the third. "
            "Towards which number do they go? And with gradients 1, -1, 1?"
        ),
        idea=(
            "v = mu * v + g: 1, 1.5, 1.75, towards 2; with alternating signs 1, -0.5, 0.75. The new gradient "
            "counts whole, and only dampening makes it less, from the second step on. Nesterov's direction after "
            "the second step of ones is 1 + 0.5 * 1.5 = 1.75."
        ),
        algorithm=(
            "velocity = state.get('momentum_buffer'). If it is None: velocity = state['momentum_buffer'] = "
            "grad.copy(). Else: velocity *= group['momentum']; velocity += (1 - group['dampening']) * grad. If "
            "group['nesterov'], return grad + group['momentum'] * velocity, else return velocity."
        ),
        smaller="gradients 1, 1, 1 with momentum 0.5: velocities 1, 1.5, 1.75",
        lesson="What keeps rolling",
        proof="""
        >>> 0.5 * 1 + 1, 0.5 * 1.5 + 1, 0.5 * 1 - 1, 0.5 * -0.5 + 1
        (1.5, 1.75, -0.5, 0.75)
        >>> 1 + 0.5 * 1.5
        1.75
        """,
    ),
    "moving_average": Ladder(
        ask=(
            "An average stands at 4, the new value is 8, and beta is 0.75. Three quarters of the old one and one "
            "quarter of the new one: what is the average now? Which array must hold it?"
        ),
        idea=(
            "0.75 * 4 + 0.25 * 8 = 5, in the very array that came in: the optimiser's state holds that array and "
            "no other. First let the old average fade, then add the new share."
        ),
        algorithm="average *= beta; average += (1 - beta) * value; return average. Do not write into value.",
        smaller="average 0, value 8, beta 0.75: 2",
        lesson="Every parameter its own scale",
        proof="""
        >>> 0.75 * 4 + (1 - 0.75) * 8, (1 - 0.75) * 8, 1 - 0.75
        (5.0, 2.0, 0.25)
        """,
    ),
    "RMSprop.update": Ladder(
        ask=(
            "Two directions have gradients around 4 and around 0.004. Square, average, take the root: which two "
            "numbers come out? Divide each gradient by its own. How long are the two steps?"
        ),
        idea=(
            "4 and 0.004, so both quotients are near 1. At the first step with alpha = 0.75 and g = 4: s = 0.25 * "
            "16 = 4, the root 2, the quotient 2. eps is added to the root. centered takes the mean's square from "
            "s; momentum lets the quotients roll."
        ),
        algorithm=(
            "grad = self.gradient(p, grad, group). square = moving_average(state['square_avg'], grad * grad, "
            "alpha). If centered: mean = moving_average(state['grad_avg'], grad, alpha); square = square - mean * "
            "mean. change = grad / (np.sqrt(square) + eps). If momentum: buffer = state['momentum_buffer']; "
            "buffer *= momentum; buffer += change; change = buffer. p -= lr * change. All options are in group."
        ),
        smaller="alpha = 0.75, gradient 4: s = 0.25 * 16 = 4, and p moves by lr * 4 / 2",
        lesson="Every parameter its own scale",
        proof="""
        >>> (1 - 0.75) * 16, 1 - 0.75, math.sqrt(0.004**2)
        (4.0, 0.25, 0.004)
        """,
    ),
    "Adam.update": Ladder(
        ask=(
            "Let g be the same every step. m starts at 0 with beta1 = 0.9. What is m after step 1, as a share of "
            "g? After step 2? By what must you divide it to get g?"
        ),
        idea=(
            "The share is 1 - beta1^t: 0.1, 0.19. v's is 1 - beta2^t. Divide each by its share. With lr 0.001 the "
            "first step must be 0.001 for g = 0.5 and for g = 50; without the corrections it is 0.00316."
        ),
        algorithm=(
            "grad = self.gradient(...); state['step'] += 1; t = state['step']. m = "
            "moving_average(state['exp_avg'], grad, beta1); v = moving_average(state['exp_avg_sq'], grad * grad, "
            "beta2). If amsgrad: v = np.maximum(state['max_exp_avg_sq'], v, out=state['max_exp_avg_sq']). p -= lr "
            "* (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps). Make new arrays there: m and v stay "
            "undivided."
        ),
        smaller="p = 1, gradient 0.5, lr = 0.25: p becomes 0.75",
        lesson="Right from the first step",
        proof="""
        >>> round(1 - 0.9, 4), round(1 - 0.9**2, 4), round(0.001 * 0.1 / math.sqrt(0.001), 5)
        (0.1, 0.19, 0.00316)
        >>> p = tensor([1.0], requires_grad=True)
        >>> p.grad = tensor([0.5])
        >>> Adam([p], lr=0.25).step()
        >>> round(p.item(), 4)
        0.75
        """,
    ),
    "AdamW.update": Ladder(
        ask=(
            "A weight of 8 has a gradient of 0, lr is 0.5 and weight_decay 0.25. What share of itself should it "
            "lose? What happens to a decay that goes into Adam's averages instead?"
        ),
        idea=(
            "It loses 0.5 * 0.25 = 0.125 of itself and becomes 7. In the averages the decay would be divided by "
            "its own size, and the weight would move by lr to 7.5, and so would a weight of 80."
        ),
        algorithm=(
            "p *= 1 - group['lr'] * group['weight_decay']. Then super().update(p, grad, state, {**group, "
            "'weight_decay': 0}): a new dict, so that the group keeps its own decay."
        ),
        smaller="p = 8, gradient 0, lr = 0.5, weight_decay = 0.25: p becomes 7",
        lesson="Two ways to shrink",
        proof="""
        >>> 0.5 * 0.25, 8 * (1 - 0.125), 8 - 0.5
        (0.125, 7.0, 7.5)
        """,
    ),
    "Optimizer.state_dict": Ladder(
        ask=(
            "Two groups hold the parameters a, b and c, d. Only c has moved. Which number stands for c? What do "
            "'state' and the two lists under 'params' look like?"
        ),
        idea=(
            "Numbers run through all groups: c is 2. 'state' is {2: {...}}, and the lists are [0, 1] and [2, 3]. "
            "Everything that can change is copied: the arrays, the dict around them, the dict of each group."
        ),
        algorithm=(
            "every = [p for group in self.param_groups for p in group['params']]; number = {p: i for i, p in "
            "enumerate(every)}. 'state': for p, kept in self.state.items(), under number[p] a new dict {name: "
            "_copy(value)}. 'param_groups': for each group {**group, 'params': [number[p] for p in "
            "group['params']]}."
        ),
        smaller="SGD([p, q]).state_dict()['param_groups'][0]['params'] is [0, 1]",
        lesson="Stop today, go on tomorrow",
        proof="""
        >>> p, q = tensor([1.0]), tensor([1.0])
        >>> SGD([p, q]).state_dict()["param_groups"][0]["params"]
        [0, 1]
        """,
    ),
    "Optimizer.load_state_dict": Ladder(
        ask=(
            "A state dict has the groups [4, 7] and [5], your optimiser [a, b] and [c]. Which of your parameters "
            "gets the state of number 7? If the state of 5 turns out not to fit, what may have changed by then?"
        ),
        idea=(
            "b: the place decides, not the number. And nothing may have changed. So collect copies in a new dict "
            "first; each of them may still be refused. When all are there, copy the options into the groups and "
            "put the new dict in the place of self.state."
        ),
        algorithm=(
            "self.check_groups(state_dict). state = {}. Walk through zip(self.param_groups, "
            "state_dict['param_groups']) as here, there, and in it through zip(here['params'], there['params']) "
            "as p, number: if number is in state_dict['state'], state[p] = "
            "self.copy_state(state_dict['state'][number], p, there). Walk again: here.update({**there, 'params': "
            "here['params']}). At last self.state = state."
        ),
        smaller="new.load_state_dict(old.state_dict()): new has old's lr",
        lesson="Stop today, go on tomorrow",
        proof="""
        >>> p = tensor([1.0], requires_grad=True)
        >>> old, new = SGD([p], lr=0.5), SGD([p], lr=0.25)
        >>> new.load_state_dict(old.state_dict())
        >>> new.param_groups[0]["lr"]
        0.5
        """,
    ),
}
