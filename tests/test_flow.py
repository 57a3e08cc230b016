"""What a name holds at each of its uses: code in which `use(...)` stands where it is asked."""

from __future__ import annotations

import ast
import sys
import textwrap
from pathlib import Path

import pytest

from flake8_async_tests.inference.values.flow import Binding, Kind, bindings_at, is_assigned_at
from flake8_async_tests.options import Options
from flake8_async_tests.project.project import Project
from flake8_async_tests.source.module import Module


def module_of(text: str) -> Module:
    text = textwrap.dedent(text)
    return Module(str(Path(__file__).parent / "nowhere" / "test_it.py"), ast.parse(text), text, Project(Options()))


def held(text: str) -> list[str]:
    """For each argument of a `use` the values of its bindings, other kinds than assignments by their name."""
    module = module_of(text)
    pairs = sorted(module.index.calls.get("use", []), key=lambda pair: (pair[0].lineno, pair[0].col_offset))
    found = []
    for call, scope, _ in pairs:
        for argument in call.args:
            shown = []
            for binding in sorted(bindings_at(module, argument, scope), key=_line):
                value = "" if binding.value is None else ast.unparse(binding.value)
                shown.append(value if binding.kind is Kind.ASSIGNED else f"{binding.kind.name} {value}".strip())
            found.append(" | ".join(shown))
    return found


def _line(binding: Binding) -> int:
    return getattr(binding.node, "lineno", 0)


CASES = {
    "rebinding": (
        """
        def test():
            m = A()
            use(m)
            m = B()
            use(m)
        """,
        ["A()", "B()"],
    ),
    "its own old value": (
        """
        def test():
            m = A()
            m = wrap(use(m))
            use(m)
        """,
        ["A()", "wrap(use(m))"],
    ),
    "before any binding": (
        """
        def test():
            use(m)
            m = A()
        """,
        [""],
    ),
    "several targets and annotations": (
        """
        def test():
            m = n = A()
            use(m, n)
            k: B = B()
            use(k)
            k: C
            use(k)
        """,
        ["A()", "A()", "B()", "B()"],
    ),
    "unpacking": (
        """
        def test():
            a, (b, *c) = pair()
            use(a, b, c)
            a, b = A(), B()
            use(a, b)
            [a, b] = C(), *rest
            use(a)
            a, (b, c) = A(), (B(), C())
            use(c)
            a[0], b.x, c = 1, 2, 3
            use(a, b.x, c)
        """,
        [
            "UNPACKED pair()",
            "UNPACKED pair()",
            "UNPACKED pair()",
            "A()",
            "B()",
            "UNPACKED (C(), *rest)",
            "C()",
            "A()",
            "2",
            "3",
        ],
    ),
    "augmented": (
        """
        def test():
            m = A()
            m += use(m)
            use(m)
        """,
        ["A()", "OTHER"],
    ),
    "walrus": (
        """
        def test(flag):
            if (m := A()):
                use(m)
            use(m)
            flag and (m := B())
            use(m)
            n = (m := C()) if flag else 0
            use(m)
            [(m := D()) for _ in range(3)]
            use(m)
            flag and made((m := E())).name
            use(m)
            made((m := F())).name
            use(m)
        """,
        [
            "A()",
            "A()",
            "A() | B()",
            "A() | B() | C()",
            "A() | B() | C() | D()",
            "A() | B() | C() | D() | E()",
            "F()",
        ],
    ),
    "with": (
        """
        async def test():
            with A() as a, use(a) as b, C() as (c, d):
                use(a, b, c)
            use(a)
            async with A() as a:
                use(a)
            with A() as self.x, nobody():
                use(a)
        """,
        [
            "ENTERED A()",
            "ENTERED A()",
            "ENTERED use(a)",
            "UNPACKED C()",
            "ENTERED A()",
            "ENTERED_ASYNC A()",
            "ENTERED_ASYNC A()",
        ],
    ),
    "a with that leaves out the rest of its block": (
        """
        import contextlib, pytest

        def test(self):
            m = A()
            with contextlib.suppress(E):
                m = B()
                use(m)
            use(m)
            with pytest.raises(E) as caught:
                m = C()
                raise E
            use(m)
            with self.assertRaises(E):
                m = D()
            use(m)
            with open(m) as f:
                m = A()
            use(m)
        """,
        ["B()", "A() | B()", "A() | B() | C()", "A() | B() | C() | D()", "A()"],
    ),
    "branches": (
        """
        def test(flag):
            m = A()
            if flag:
                m = B()
                use(m)
            use(m)
            if flag:
                m = C()
            else:
                m = D()
            use(m)
        """,
        ["B()", "A() | B()", "C() | D()"],
    ),
    "elif": (
        """
        def test(flag):
            m = A()
            if flag:
                m = B()
            elif (m := C()):
                m = D()
                use(m)
            elif use(m):
                pass
            else:
                return
            use(m)
        """,
        ["D()", "C()", "B() | C() | D()"],
    ),
    "bound in one branch only": (
        """
        def test(flag):
            if flag:
                m = A()
            use(m)
        """,
        ["A()"],
    ),
    "branches that do not flow on": (
        """
        import pytest, sys

        async def test(self, flag):
            m = A()
            if flag == 1:
                m = B()
                return
            if flag == 2:
                m = B()
                raise E
            if flag == 3:
                m = B()
                pytest.fail("no")
            if flag == 4:
                m = B()
                pytest.skip("no")
            if flag == 5:
                m = B()
                self.fail("no")
            if flag == 6:
                m = B()
                await sys.exit(1)
            if flag == 7:
                m = B()
                assert False
            use(m)
            if flag == 8:
                m = B()
                assert flag
            use(m)
            other.fail()
            use(m)
            return
            use(m)
            m = C()
        """,
        ["A()", "A() | B()", "A() | B()", ""],
    ),
    "loops": (
        """
        def test(flag):
            m = A()
            for x in items():
                use(m, x)
                m = B()
                use(m)
            use(m)
            while use(m):
                if flag:
                    m = C()
                    break
                m = D()
                continue
            else:
                use(m)
                m = E()
            use(m)
        """,
        [
            "A() | B()",
            "ITERATED items()",
            "B()",
            "A() | B()",
            "A() | B() | C() | D()",
            "A() | B() | C() | D()",
            "A() | B() | C() | D() | E()",
        ],
    ),
    "bound in each round": (
        """
        async def test():
            async for k, v in pairs():
                m = A()
                use(m, k)
            use(m)
        """,
        ["A()", "UNPACKED pairs()", "A()"],
    ),
    "try": (
        """
        def test():
            m = A()
            try:
                m = B()
                use(m)
            except E as error:
                use(m, error)
                m = C()
            except F:
                m = D()
                raise
            else:
                use(m)
                m = G()
            use(m, error)
        """,
        ["B()", "A() | B()", "OTHER", "B()", "C() | G()", ""],
    ),
    "finally": (
        """
        def test():
            m = A()
            try:
                m = B()
                return
            except E:
                m = C()
            finally:
                use(m)
                n = N()
            use(m, n)
            try:
                n = O()
            finally:
                pass
            use(n)
            try:
                return
            finally:
                use(m)
            use(m)
        """,
        ["A() | B() | C()", "C()", "N()", "O()", "C()", ""],
    ),
    "a handler in the dead end of its block": (
        """
        def test():
            try:
                m = A()
                raise E
            except E as e:
                return
            else:
                use(m)
            finally:
                return
        """,
        [""],
    ),
    "match": (
        """
        def test(x):
            m = A()
            match x:
                case [first, *others]:
                    use(first, others)
                    m = B()
                case {"a": 1, **left} if use(left):
                    m = C()
                case N.x | K(y=z):
                    return
            use(m)
            match x:
                case 1:
                    m = D()
                case other:
                    m = E()
                    use(other)
            use(m)
        """,
        ["OTHER", "OTHER", "OTHER", "A() | B() | C()", "OTHER", "D() | E()"],
    ),
    "del": (
        """
        def test():
            m = A()
            del m, n[0]
            use(m)
            m = B()
            use(m)
            del (m.x, m)
            use(m)
        """,
        ["", "B()", ""],
    ),
    "definitions and imports": (
        """
        def test():
            import a.b, c.d as d
            from e import f
            from g import *
            use(a, d, f)
            @use(f)
            def f(x=use(d)): ...
            class A(use(f), metaclass=M): ...
            use(f, A)
        """,
        ["IMPORTED", "IMPORTED", "IMPORTED", "IMPORTED", "IMPORTED", "DEFINED", "DEFINED", "DEFINED"],
    ),
    "parameters": (
        """
        def test(a, /, b=1, *c, d, **e):
            use(a, b, c, d, e)
            b = b or A()
            use(b)
        """,
        [*["PARAMETER"] * 5, "b or A()"],
    ),
    "names of the module": (
        """
        once = A()
        twice = A()
        twice = B()
        shared = A()
        use(twice)
        def test():
            use(once, twice, shared, missing, len)
        def change():
            global shared
            use(shared)
            shared = B()
            use(shared)
        class Box:
            size = S()
            use(size, once)
            def get(self):
                use(size)
        """,
        ["B()", "A()", "", "", "", "", "", "", "S()", "A()", ""],
    ),
    "names of the function around": (
        """
        def test():
            once = A()
            twice = A()
            twice = B()
            counted = A()
            def inner():
                nonlocal counted
                counted = B()
                use(once, twice, counted)
                return lambda: use(once)
            use(counted)
            async def other(once):
                use(once)
        """,
        ["A()", "", "", "A()", "", "PARAMETER"],
    ),
    "names that lambdas bind": (
        """
        def test():
            return lambda m: [use(m), (n := A()), use(n), (m := B()), use(m)]
        """,
        ["PARAMETER", "A()", "B()"],
    ),
    "below what is never reached": (
        """
        def test():
            m = A()
            with B():
                return
                m = C()
                use(m)
            use(m)
        """,
        ["", ""],
    ),
    "once, beside what is never reached": (
        """
        def test():
            m = A()
            with B():
                return
                use(m)
            use(m)
        """,
        ["", ""],
    ),
    "lambdas and comprehensions": (
        """
        def test():
            m = A()
            f = lambda m, n=use(m): use(m, n)
            [use(m) for m in use(m) if use(m)]
            {use(a): use(b, m) for a, b in pairs() for m in use(m, a)}
            (use(m, k) for k in {use(k) for k in m})
            use(m)
        """,
        [
            "A()",
            "PARAMETER",
            "PARAMETER",
            "ITERATED use(m)",
            "A()",
            "ITERATED use(m)",
            "UNPACKED pairs()",
            "UNPACKED pairs()",
            "ITERATED use(m, a)",
            "ITERATED use(m, a)",
            "UNPACKED pairs()",
            "A()",
            "ITERATED {use(k) for k in m}",
            "ITERATED m",
            "A()",
        ],
    ),
    "paths": (
        """
        def test(m, n):
            use(m.get)
            m.get = A()
            use(m.get, m, m.post, n.get)
            m.get.x.y = B()
            use(m.get.x.y, m.get.x, m.get.x.y.z)
            m.get = C()
            use(m.get, m.get.x.y)
            m = D()
            use(m.get, m)
            use(f().get, m[0].get)
            f().get = m[0].get = E()
        """,
        ["", "A()", "PARAMETER", "", "", "B()", "", "", "C()", "", "", "D()", "", ""],
    ),
    "paths and branches": (
        """
        def test(m, flag):
            if flag:
                m.get = A()
                m.post = A()
            else:
                m.post = B()
            use(m.get, m.post)
            for _ in flag:
                m.get = C()
                use(m.get)
            m.put = A()
            for m in flag:
                use(m.put)
            for m.item in flag:
                use(m.item)
            del m.item
            use(m.item)
        """,
        ["", "A() | B()", "C()", "", "ITERATED flag", ""],
    ),
    "a shadowed path": (
        """
        def test(m):
            m.get = A()
            [use(m.get) for m in n]
            use(m.get)
        """,
        ["", "A()"],
    ),
    "self": (
        """
        class Base:
            def setUp(self):
                self.a = A()
                self.a = A2()
                self.b = B()
                self.e = E()
                use(self.a)
            def helper(self):
                self.b = Z()
        class TestIt(Base):
            async def asyncSetUp(me):
                me.c = C()
                me.e = E()
                x.d = D()
            def test(self):
                use(self.a, self.b, self.c, self.d, self.e)
                self.a = T()
                use(self.a)
                def inner():
                    use(self.a, self.c)
            def test_other(this, other):
                use(this.a, other.a, this.a.b)
            @staticmethod
            def nothing():
                use(self.a)
        class TestAnother:
            def test(self):
                use(self.a)
        def function(self):
            use(self.a)
        """,
        ["A2()", "A2()", "", "C()", "", "", "T()", "", "C()", "A2()", "", "", "", "", ""],
    ),
    "self, when set up leaves early": (
        """
        class TestIt:
            def setup_method(self):
                self.a = A()
                if not flag:
                    self.b = B()
                    return
                self.b = C()
            def test(self):
                use(self.a, self.b)
        """,
        ["A()", ""],
    ),
    "self, set elsewhere": (
        """
        class TestIt:
            def setUp(self):
                self.a = A()
                self.b = B()
                def later():
                    self.b = C()
            def test(self):
                use(self.a, self.b)
        class TestSub(TestIt):
            def setUp(self):
                super().setUp()
                self.a = S()
            def test_sub(self):
                use(self.a)
        """,
        ["", "", ""],
    ),
    "odd corners": (
        """
        def test():
            nonlocal nowhere
            while x:
                m = lambda: (n := A())
                def inner(k=(n := B())): ...
                use(n)
            try:
                pass
            except:
                use(m)
            match x:
                case [*_] | {} | _:
                    pass
            del x.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r
        def function(self):
            self.a = A()
        class TestIt:
            def setUp(self, other):
                self.a = B()
                other.a = C()
            def test(self):
                use(self.a)
        """,
        ["B()", "lambda: (n := A())", "B()"],
    ),
    "more than anybody wants to know": (
        "def test(x):\n" + "".join(f"    if x == {n}: m = A{n}()\n" for n in range(40)) + "    use(m)\n",
        [""],
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_what_is_held(text: str, expected: list[str]) -> None:
    assert held(text) == expected


def test_a_path_that_may_have_been_assigned_to() -> None:
    module = module_of("""
        def test(m, flag):
            if flag:
                m.get = A()
            use(m.get, m.post)
    """)
    [(call, scope, _)] = module.index.calls["use"]
    assert [is_assigned_at(module, argument, scope) for argument in call.args] == [True, False]


def test_what_binds_is_told() -> None:
    module = module_of("""
        def test(m):
            with open(m) as n:
                use(m, n)
    """)
    [(call, scope, _)] = module.index.calls["use"]
    nodes = [binding.node for argument in call.args for binding in bindings_at(module, argument, scope)]
    assert [node.__class__ for node in nodes] == [ast.arg, ast.With]


@pytest.mark.parametrize(
    "text",
    [
        "m = A()\n" + "m" + ".x" * 900 + " = 1\nuse(m" + ".x" * 900 + ")\n",
        "m = A()\n" + " + ".join(["m"] * 900) + "\nuse(m)\n",
        "if m: pass\n" + "".join(f"elif m == {n}: m = {n}\n" for n in range(900)) + "use(m)\n",
    ],
    ids=["attributes", "operands", "elif"],
)
def test_deep_code_does_not_crash(text: str) -> None:
    held(text)


def test_a_long_function_costs_its_length() -> None:
    def work(length: int) -> int:
        lines = "".join(f"    m.a{n} = A()\n    if x: m.a{n} = B()\n    use(m.a{n})\n" for n in range(length))
        module = module_of("def test(m, x):\n" + lines)
        calls = 0

        def count(_frame: object, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event == "call"

        pairs = module.index.calls["use"]
        sys.setprofile(count)
        try:
            for call, scope, _ in pairs:
                bindings_at(module, call.args[0], scope)
        finally:
            sys.setprofile(None)
        return calls

    assert work(400) < 4.5 * work(100)
