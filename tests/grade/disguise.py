"""What people do to code that is not theirs: other names, another order, other comments and hints, idle lines."""

from __future__ import annotations

import ast
import random
import re

TURNED = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}


class Renamed(ast.NodeTransformer):
    """Every local name of a function gets another one."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Rename what a function binds."""
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        names -= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}  # a caller may name it
        inner = {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef) and n is not node}
        new = {name: f"{name[::-1]}_{number}" for number, name in enumerate(sorted(names | inner))}
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id in new:
                each.id = new[each.id]
            elif isinstance(each, ast.FunctionDef) and each is not node and each.name in new:
                each.name = new[each.name]
        return node


class Rephrased(ast.NodeTransformer):
    """Operands the other way round, `x += 1` as `x = x + 1`, no type hints, other docstrings."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Turn a product round; a sum may be one of lists."""
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult):
            node.left, node.right = node.right, node.left
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Turn a comparison round."""
        self.generic_visit(node)
        turned = TURNED.get(type(node.ops[0])) if len(node.ops) == 1 else None
        if turned:
            node.left, node.comparators, node.ops = node.comparators[0], [node.left], [turned()]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """Write it in full."""
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        value = ast.BinOp(left=ast.Name(node.target.id, ast.Load()), op=node.op, right=node.value)
        return ast.copy_location(ast.Assign(targets=[node.target], value=value), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Drop type hints, and say something else about it."""
        self.generic_visit(node)
        node.returns = None
        for argument in [*node.args.args, *node.args.kwonlyargs]:
            argument.annotation = None
        if ast.get_docstring(node) and len(node.body) > 1:
            node.body[0] = ast.Expr(ast.Constant("My own function."))
        return node


class Padded(ast.NodeTransformer):
    """What is returned gets a name first, and every second statement of a function follows one that does nothing."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Pad its body."""
        padded: list[ast.stmt] = []
        for number, statement in enumerate(node.body):
            if number % 2 and not isinstance(statement, ast.Expr):
                padded.append(ast.parse("checked = True").body[0])
            if isinstance(statement, ast.Return) and statement.value is not None:
                padded.append(ast.Assign(targets=[ast.Name("outcome", ast.Store())], value=statement.value))
                padded.append(ast.Return(ast.Name("outcome", ast.Load())))
            else:
                padded.append(statement)
        node.body = padded
        return node


def disguised(source: str, seed: int = 0, *, padded: bool = False) -> str:
    """A file as its own author would not know it again, and as Python runs it alike."""
    tree = ast.parse(source)
    for transformer in (Renamed(), Rephrased(), *([Padded()] if padded else [])):
        tree = ast.fix_missing_locations(transformer.visit(tree))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.decorator_list]
    rest = [node for node in tree.body if node not in functions]
    imports = [node for node in rest if isinstance(node, ast.Import | ast.ImportFrom)]
    random.Random(seed).shuffle(functions)  # noqa: S311 (the order of functions)
    tree.body = [*imports, *functions, *(node for node in rest if node not in imports)]
    return re.sub(r"^(\s*)return ", r"\1# done\n\1return ", ast.unparse(tree), flags=re.MULTILINE)
