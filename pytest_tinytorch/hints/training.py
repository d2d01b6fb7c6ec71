"""Hints for module 07, training."""

from __future__ import annotations

from pytest_tinytorch.hints import Ladder

LADDERS = {
    "accuracy": Ladder(
        ask=(
            "Three rows of scores: 1 5 2, then 7 0 3, then 2 2 9. Put a ring around the largest of each row. The "
            "right classes are 1, 2 and 2. In how many rows is the ring at the right place, and what share is that?"
        ),
        idea=(
            "The rings stand at 1, 0 and 2, so two of three are right: 0.6667. The ring is looked for among the "
            "classes, which are the last dimension. Looked for along the batch it would give one answer per class."
        ),
        algorithm=(
            "If outputs.shape[:-1] != targets.shape, or targets.numel() is 0, raise ValueError with both shapes. "
            "hits = outputs.data.argmax(axis=-1) == targets.data, an array of True and False in the targets' "
            "shape. Return float(hits.mean())."
        ),
        smaller="accuracy(tensor([[0., 1.], [0., 1.]]), tensor([1, 0])) is 0.5",
        lesson="Five lines",
        proof="""
        >>> scores = tensor([[1.0, 5.0, 2.0], [7.0, 0.0, 3.0], [2.0, 2.0, 9.0]])
        >>> scores.argmax(dim=-1), round(accuracy(scores, tensor([1, 2, 2])), 4)
        (tensor([1, 0, 2]), 0.6667)
        >>> accuracy(tensor([[0.0, 1.0], [0.0, 1.0]]), tensor([1, 0]))
        0.5
        """,
    ),
    "Averages.add": Ladder(
        ask=(
            "Three pupils got an average of 1, a fourth one got 5. What is the average of the four? Which two "
            "numbers do you have to remember, so that any further group can still be counted in?"
        ),
        idea=(
            "The sum over all pupils, 3 * 1 + 1 * 5 = 8, and their number, 4. The average is 2, not 3. A value that "
            "comes in is an average over size examples, so it stands for a sum of value * size."
        ),
        algorithm=(
            "For each name and value in values.items(): self.totals[name] = self.totals.get(name, 0.0) + value * "
            "size. After the loop, once per batch and not once per name: self.count += size. `result` divides."
        ),
        smaller="add({'loss': 1.}, 3), then add({'loss': 5.}, 1): the average is 8 / 4 = 2",
        lesson="Five lines",
        proof="""
        >>> averages = tinytorch.training.Averages()
        >>> averages.add({"loss": 1.0}, 3)
        >>> averages.add({"loss": 5.0}, 1)
        >>> averages.totals.get("loss", 0.0), averages.count, averages.result()["loss"]
        (8.0, 4, 2.0)
        """,
    ),
    "total_norm": Ladder(
        ask=(
            "You walk 3 metres east and 4 metres north. How far are you from where you began? Two tensors with one "
            "number each, 3 and 4, are the same walk. And if each tensor had a norm of its own, how would you put "
            "the two together?"
        ),
        idea=(
            "The root of 9 + 16 is 5; the sum of the norms, 7, is the way you went, not how far you are. Norms "
            "combine as the numbers do: the norm of the list of norms is the norm of everything, for every p."
        ),
        algorithm=(
            "norms = [np.linalg.norm(x.data.reshape(-1), norm_type) for x in tensors if x.numel()]. If the list is "
            "empty return 0.0, else float(np.linalg.norm(norms, norm_type)). reshape(-1) makes one row of numbers, "
            "because norm of a matrix means something else."
        ),
        smaller="total_norm([tensor([3.]), tensor([4.])]) is 5",
        lesson="A step that is too long",
        proof="""
        >>> tinytorch.training.total_norm([tensor([3.0]), tensor([4.0])]), tinytorch.training.total_norm([])
        (5.0, 0.0)
        """,
    ),
    "clip_grad_norm_": Ladder(
        ask=(
            "Gradients 3 and 4 of two parameters; together they may be 1 long. By which one number do you multiply "
            "both? What happens to the direction of the step if you shorten each of them to 1 instead?"
        ),
        idea=(
            "Together they are 5 long, so both are multiplied by 1 / 5: 0.6 and 0.8, still in the ratio 3 to 4. One "
            "by one they would be 1 and 1, another direction. Gradients 0.3 and 0.4 are short enough and stay."
        ),
        algorithm=(
            "Raise ValueError unless max_norm >= 0. grads = [p.grad for p in parameters if p.grad is not None]: a "
            "list, because a generator can be gone through once. norm = total_norm(grads, norm_type); scale = "
            "min(max_norm / (norm + 1e-6), 1.0). For each grad: grad.data *= scale. Return Tensor(norm)."
        ),
        smaller="gradients [3.] and [4.], max_norm 1: [0.6] and [0.8]",
        lesson="A step that is too long",
        proof="""
        >>> p, q = tensor([0.0], requires_grad=True), tensor([0.0], requires_grad=True)
        >>> for a, b in ((3.0, 4.0), (0.3, 0.4)):
        ...     p.grad, q.grad = tensor([a]), tensor([b])
        ...     _ = clip_grad_norm_([p, q], 1.0)
        ...     round(p.grad.item(), 4), round(q.grad.item(), 4)
        (0.6, 0.8)
        (0.3, 0.4)
        """,
    ),
    "Scheduler.set_epoch": Ladder(
        ask=(
            "Two groups began with the rates 1 and 8, and lr_at halves the base rate at every step. Which rates do "
            "they have after step 2? What would come out if the formula for step 2 were given the rates that step 1 "
            "left behind?"
        ),
        idea=(
            "A quarter of the base: 0.25 and 2. From the current rates 0.5 and 4 it would be an eighth. The base "
            "rates are kept in self.base_lrs, one per group, in the order of param_groups."
        ),
        algorithm=(
            "self.last_epoch = t. Then for group, base_lr in zip(self.optimizer.param_groups, self.base_lrs): "
            "group['lr'] = self.lr_at(base_lr, t). Nothing is returned: the optimiser reads group['lr'] at its next "
            "step."
        ),
        smaller="StepLR(step_size=1, gamma=0.5) from 8, set_epoch(2): the rate is 2",
        lesson="A rate with a plan",
        proof="""
        >>> groups = [{"params": [tensor([0.0], requires_grad=True)], "lr": lr} for lr in (1.0, 8.0)]
        >>> schedule = StepLR(SGD(groups), step_size=1, gamma=0.5)
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.5, 4.0]
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.25, 2.0]
        """,
    ),
    "StepLR.lr_at": Ladder(
        ask=(
            "Stairs with three steps of time on each: t = 0, 1, 2 on the first, then 3, 4, 5. On which stair is "
            "t = 7? Which operation of Python gives that number from 7 and 3?"
        ),
        idea=(
            "7 // 3 is 2: two whole stairs down, and each one multiplies by gamma. From 8 with gamma 0.5 that is "
            "8 * 0.5 * 0.5 = 2. With 7 / 3 in its place the stairs would be a slope."
        ),
        algorithm=(
            "Return base_lr * self.gamma ** (t // self.step_size). The power binds more tightly than the product, "
            "so no further brackets are needed. t is whole, so // gives a whole number."
        ),
        smaller="StepLR(step_size=2, gamma=0.5) from 8: 8, 8, 4, 4, 2",
        lesson="A rate with a plan",
        proof="""
        >>> 7 // 3, 8 * 0.5 ** (7 // 3)
        (2, 2.0)
        >>> schedule = StepLR(SGD([tensor([0.0], requires_grad=True)]), step_size=2, gamma=0.5)
        >>> [schedule.lr_at(8.0, t) for t in range(5)]
        [8.0, 8.0, 4.0, 4.0, 2.0]
        """,
    ),
    "CosineAnnealingLR.lr_at": Ladder(
        ask=(
            "The cosine of 0 is 1, that of pi is -1. What must be done to it so that it goes from 1 to 0 instead? "
            "And which angle stands at t = 0, and which at t = T_max?"
        ),
        idea=(
            "(1 + cos) / 2 goes from 1 to 0 as the angle pi * t / T_max goes from 0 to pi. A quarter of the way it "
            "is still 0.8536. Only what lies above eta_min shrinks: eta_min + (base_lr - eta_min) * that."
        ),
        algorithm=(
            "share = (1 + math.cos(math.pi * t / self.T_max)) / 2. Return self.eta_min + (base_lr - self.eta_min) * "
            "share. No special case for t beyond T_max: the wave rises again there, as PyTorch's does."
        ),
        smaller="CosineAnnealingLR(T_max=4) from 1: 1, 0.8536, 0.5, 0.1464, 0",
        lesson="A rate with a plan",
        proof="""
        >>> schedule = CosineAnnealingLR(SGD([tensor([0.0], requires_grad=True)]), T_max=4)
        >>> [round(schedule.lr_at(1.0, t), 4) for t in range(5)]
        [1.0, 0.8536, 0.5, 0.1464, 0.0]
        """,
    ),
    "LinearWarmup.lr_at": Ladder(
        ask=(
            "A ramp from a quarter of the rate to the whole of it, in three steps of equal size. How large is one "
            "step? Write down the share of the rate at t = 0, 1, 2, 3, and at t = 10."
        ),
        idea=(
            "Three quarters in three steps: 0.25 each. The shares are 0.25, 0.5, 0.75, 1, and 1 for ever after. So "
            "the way that is done, t / total_iters, must not exceed 1."
        ),
        algorithm=(
            "share = min(t / self.total_iters, 1.0), how much of the ramp is done. Return base_lr * "
            "(self.start_factor + (1 - self.start_factor) * share)."
        ),
        smaller="LinearWarmup(total_iters=2, start_factor=0.5) from 8: 4, 6, 8, 8",
        lesson="A rate with a plan",
        proof="""
        >>> schedule = LinearWarmup(SGD([tensor([0.0], requires_grad=True)]), total_iters=3, start_factor=0.25)
        >>> [schedule.lr_at(1.0, t) for t in (0, 1, 2, 3, 10)]
        [0.25, 0.5, 0.75, 1.0, 1.0]
        >>> schedule = LinearWarmup(SGD([tensor([0.0], requires_grad=True)]), total_iters=2, start_factor=0.5)
        >>> [schedule.lr_at(8.0, t) for t in range(4)]
        [4.0, 6.0, 8.0, 8.0]
        """,
    ),
    "write_atomically": Ladder(
        ask=(
            "A colleague asks for your paper at any moment, and you want to rewrite it. If you rub it out line by "
            "line, what does the colleague get? And if you write on a second sheet, which single movement makes the "
            "new text the paper?"
        ),
        idea=(
            "Write the second file beside the first, and rename it at the end: os.replace is one movement, so there "
            "is no moment with half a file. Before that, flush and fsync, or the name may get to the disk sooner "
            "than the content. On any error, Ctrl-C included, throw the second sheet away."
        ),
        algorithm=(
            "temporary = temporary_path(path). Under try: with temporary.open('xb') as file: write(file), "
            "file.flush(), os.fsync(file.fileno()). After the with-block, still under try: size = "
            "temporary.stat().st_size, then os.replace(temporary, path). Under except BaseException: "
            "temporary.unlink(missing_ok=True), then a bare raise. At the end return size."
        ),
        smaller="write_atomically(path, lambda file: file.write(b'abc')) gives 3, and the folder holds one file",
        lesson="A file to go on from",
        proof="""
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "note"
        >>> tinytorch.training.write_atomically(path, lambda file: file.write(b"abc")), len(list(path.parent.iterdir()))
        (3, 1)
        """,
    ),
    "EarlyStopping.update": Ladder(
        ask=(
            "Losses of five epochs: 3, 1, 2, 1, 4. After each, write down the best so far and how many epochs ago "
            "it was. Does the second 1 count as better? And where are the weights of the best epoch, once the next "
            "one has written over them?"
        ),
        idea=(
            "Best: 3, 1, 1, 1, 1. Waited: 0, 0, 1, 2, 3, because equal is not better. The model's own arrays change "
            "with every step, so the best ones must be copied at once, which is what model.state_dict() does."
        ),
        algorithm=(
            "gain = self.best - value if self.mode == 'min' else value - self.best. If gain > self.min_delta: "
            "self.best = value, self.best_state = model.state_dict(), self.waited = 0. Else self.waited += 1. With "
            "nan the comparison is False, so it only waits."
        ),
        smaller="values 3, 1, 2: best 1, waited 1",
        lesson="Other people's data",
        proof="""
        >>> stopping, model = EarlyStopping(), Linear(1, 1)
        >>> for value in (3, 1, 2, 1, 4):
        ...     stopping.update(value, model)
        ...     print(stopping.best, stopping.waited)
        3 0
        1 0
        1 1
        1 2
        1 3
        """,
    ),
    "evaluating": Ladder(
        ask=(
            "Two things are different while a model is used: one in its modules, one in what is recorded. Which "
            "method and which with-block see to them? And how do you find out afterwards which mode each module was "
            "in before?"
        ),
        idea=(
            "Write the modes down before you touch them: pairs (module, module.training). model.train() afterwards "
            "would put every module into training mode, also one that was frozen. An error inside the block must "
            "not skip the way back, which is what `finally` is for."
        ),
        algorithm=(
            "modes = [(module, module.training) for module in model.modules()]; model.eval(); then try: with "
            "no_grad(): yield (with nothing after it); finally: for module, mode in modes: module.training = mode."
        ),
        smaller="with evaluating(model): model.training is False, and True again after the block",
        lesson="Other people's data",
        proof="""
        >>> model = Linear(1, 1)
        >>> with tinytorch.training.evaluating(model):
        ...     print(model.training, model(ones(1, 1)).requires_grad)
        False False
        >>> model.training, model(ones(1, 1)).requires_grad
        (True, True)
        """,
    ),
    "Trainer.measure": Ladder(
        ask=(
            "A history of ten thousand losses, each kept as a Tensor. What else does each of them keep alive, "
            "through grad_fn and its inputs? What would be left of it if you kept only the number?"
        ),
        idea=(
            "Each loss holds the whole graph of its batch: megabytes behind eight bytes. So everything that goes "
            "into the record becomes a float first, the loss as well as what a metric returns. And a metric's own "
            "operations need no record at all."
        ),
        algorithm=(
            "with no_grad(): values = {'loss': loss, **{name: metric(outputs, targets) for name, metric in "
            "self.metrics.items()}}. Then return {name: as_number(name, value) for name, value in values.items()}. "
            "The loss comes first."
        ),
        smaller="measure(outputs, targets, tensor(2.)) without metrics is {'loss': 2.0}",
        lesson="Five lines",
        proof="""
        >>> trainer = Trainer(model := Linear(1, 1), SGD(model.parameters()), MSELoss())
        >>> trainer.measure(ones(1, 1), ones(1, 1), tensor(2.0))
        {'loss': 2.0}
        """,
    ),
    "Trainer.train_step": Ladder(
        ask=(
            "Put these five into order: step, backward, zero, clip, forward. Who fills the gradients, who reads "
            "them, who changes them, who empties them? What does the optimiser find if they are emptied just before "
            "it steps?"
        ),
        idea=(
            "zero, forward, backward, clip, step. Backward adds to what is there, so emptying comes before it; the "
            "step reads what clip has left. For y = w x with w = 1, x = 1 and target 0 the gradient is 2, and lr 0.25 "
            "takes w to 0.5."
        ),
        algorithm=(
            "self.optimizer.zero_grad(); outputs = self.model(inputs); loss = self.loss_fn(outputs, targets); "
            "self.require_finite(loss); loss.backward(); if self.clip_norm is not None: "
            "clip_grad_norm_(self.model.parameters(), self.clip_norm); self.optimizer.step(). Return "
            "self.measure(outputs, targets, loss)."
        ),
        smaller="w = 1, x = 1, target 0, lr 0.25: the loss is 1, and then w is 0.5",
        lesson="Five lines",
        proof="""
        >>> model = Linear(1, 1, bias=False)
        >>> model.weight.data[...] = 1
        >>> trainer = Trainer(model, SGD(model.parameters(), lr=0.25), MSELoss())
        >>> trainer.train_step(ones(1, 1), zeros(1, 1)), model.weight.item()
        ({'loss': 1.0}, 0.5)
        """,
    ),
    "Trainer.train_epoch": Ladder(
        ask=(
            "Batches of 6, 6 and 2 examples. How often does train_step run, and how often does the average move? "
            "With which weight does the last batch's loss go into the epoch's loss?"
        ),
        idea=(
            "Three steps, each followed by a report to one `Averages`, with the number of targets as its size; the "
            "last batch counts 2 of 14. The model must be in training mode first, because an evaluation may have "
            "come before."
        ),
        algorithm=(
            "self.model.train(); averages = Averages(). For inputs, targets in pairs(batches): "
            "averages.add(self.train_step(inputs, targets), len(targets)), then self.step_schedule('batch'), inside "
            "the loop. After the loop return averages.result()."
        ),
        smaller="one batch: what train_epoch returns is what train_step returns",
        lesson="Five lines",
        proof="""
        >>> model = Linear(1, 1, bias=False)
        >>> model.weight.data[...] = 1
        >>> trainer = Trainer(model, SGD(model.parameters(), lr=0.25), MSELoss())
        >>> trainer.train_epoch([(ones(2, 1), zeros(2, 1))])
        {'loss': 1.0}
        """,
    ),
    "Trainer.evaluate": Ladder(
        ask=(
            "Take train_step and cross out everything that changes the model or prepares a change. Which lines are "
            "left? What must be different about the model while they run, so that asking twice gives one answer?"
        ),
        idea=(
            "Forward, loss and measure are left. They run inside evaluating(self.model), which takes care of Dropout, "
            "of the record and of the way back. The averages are those of train_epoch: every example counts once."
        ),
        algorithm=(
            "averages = Averages(). with evaluating(self.model): for inputs, targets in pairs(batches): outputs = "
            "self.model(inputs); loss = self.loss_fn(outputs, targets); averages.add(self.measure(outputs, targets, "
            "loss), len(targets)). Return averages.result()."
        ),
        smaller="w = 1, x = 1, target 0: evaluate gives {'loss': 1.0}, twice",
        lesson="Other people's data",
        proof="""
        >>> model = Linear(1, 1, bias=False)
        >>> model.weight.data[...] = 1
        >>> trainer = Trainer(model, SGD(model.parameters(), lr=0.25), MSELoss())
        >>> trainer.evaluate([(ones(2, 1), zeros(2, 1))]), trainer.evaluate([(ones(2, 1), zeros(2, 1))])
        ({'loss': 1.0}, {'loss': 1.0})
        """,
    ),
    "Trainer.run_epoch": Ladder(
        ask=(
            "An epoch learns with the rate 0.5, and then the schedule halves it. Which of the two rates belongs "
            "beside this epoch's loss? And which weights should the validation loss be about, those from before the "
            "epoch or those from after it?"
        ),
        idea=(
            "0.5, so note it before anything else. The validation loss is about the weights that the epoch has made, "
            "so it comes after train_epoch. The schedule moves last. All names from evaluate get 'validation_' "
            "before them, or they would overwrite those of the training."
        ),
        algorithm=(
            "values = {'lr': float(self.optimizer.param_groups[0]['lr']), **self.train_epoch(batches)}: a dict is "
            "filled from left to right. If validation is not None: values |= {f'validation_{name}': value for name, "
            "value in self.evaluate(validation).items()}. Then self.step_schedule('epoch'), and return values."
        ),
        smaller="without a schedule and validation data: {'lr': 0.5, 'loss': 1.0}",
        lesson="Other people's data",
        proof="""
        >>> model = Linear(1, 1, bias=False)
        >>> model.weight.data[...] = 1
        >>> trainer = Trainer(model, SGD(model.parameters(), lr=0.5), MSELoss())
        >>> trainer.run_epoch([(ones(2, 1), zeros(2, 1))], None)
        {'lr': 0.5, 'loss': 1.0}
        """,
    ),
    "Trainer.parts": Ladder(
        ask=(
            "Your process dies after epoch 3 and a new one begins with the saved weights. What else would be "
            "different from a process that had just gone on? Think of Adam, of the rate, of Dropout, of the order "
            "of the examples, of the numbers already printed."
        ),
        idea=(
            "Everything that changes while a run goes on: the trainer's history, the weights, the optimiser's "
            "memory, the schedule's place, the best weights so far, and where each random generator stands. The "
            "last is the one that people forget: Generators(*loaders)."
        ),
        algorithm=(
            "found = {'trainer': self, 'model': self.model, 'optimizer': self.optimizer, 'random': "
            "Generators(*loaders)}. If self.scheduler is not None: found['scheduler'] = self.scheduler. If "
            "early_stopping is not None: found['early_stopping'] = early_stopping. Return found."
        ),
        smaller="without schedule and early stopping: trainer, model, optimizer, random",
        lesson="A file to go on from",
        proof="""
        >>> trainer = Trainer(model := Linear(1, 1), SGD(model.parameters()), MSELoss())
        >>> list(trainer.parts(None))
        ['trainer', 'model', 'optimizer', 'random']
        """,
    ),
    "Trainer.fit": Ladder(
        ask=(
            "A run is at 2 finished epochs and shall end at 5. Write the loop that gets it there, as a `while`. At "
            "which point of it is an epoch finished, and what has to be true already when the checkpoint is "
            "written?"
        ),
        idea=(
            "Ask `self.begin(...)` for the number to reach, then loop while self.epoch is below it and early "
            "stopping has not said stop. A checkpoint holds the epoch whole, so history and early stopping are told "
            "first, the file comes next, and the outside world last."
        ),
        algorithm=(
            "parts = self.parts(early_stopping, batches, validation); last = self.begin(batches, epochs, validation, "
            "early_stopping, checkpoint, resume, parts). In the loop: values = self.run_epoch(batches, validation); "
            "self.remember(values); early_stopping.update(values[early_stopping.monitor], self.model); "
            "save_checkpoint(checkpoint, **parts); on_epoch(self.epoch, values); the last three where they are not "
            "None. After the loop early_stopping.restore(self.model), where there is one; return self.history."
        ),
        smaller="w = 1, x = 1, target 0, lr 0.25, two epochs: losses 1 and 0.25",
        lesson="A file to go on from",
        proof="""
        >>> model = Linear(1, 1, bias=False)
        >>> model.weight.data[...] = 1
        >>> trainer = Trainer(model, SGD(model.parameters(), lr=0.25), MSELoss())
        >>> trainer.fit([(ones(1, 1), zeros(1, 1))], 2)["loss"]
        [1.0, 0.25]
        """,
    ),
}
