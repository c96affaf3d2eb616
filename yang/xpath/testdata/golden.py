"""Prints golden.jsonl: what libxml2 thinks of expressions.txt and of random expressions.

Run in this folder by a Python that has lxml, with a seed and how many lines at most. Each line of the result is an array:
expression, context (the number of an element), result.
"""
import json, random, sys
from lxml import etree

NS = {"p": "urn:p"}
doc = etree.parse("tree.xml")
order = {e: i + 1 for i, e in enumerate(doc.iter())}
elements = [None] + list(doc.iter())
CONTEXTS = [1, 2, 9, 11, 37]


def show(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, float):
        return "n:" + repr(v)
    if isinstance(v, str):
        return "s:" + v
    out = []
    for n in v:
        if isinstance(n, str):
            if n.is_attribute or n.getparent() is None:
                return None  # namespaces, attributes
            out.append("t%d" % order[n.getparent()])
        else:
            out.append("e%d" % order[n])
    return "set:" + " ".join(out)


def evaluate(expr, context):
    node = elements[context]
    return show(node.xpath(expr, namespaces=NS))


names = ["id", "v", "item", "in", "ref", "tag", "k1", "k2", "box", "p:v", "p:item", "r"]
axes = ["child", "descendant", "descendant-or-self", "parent", "ancestor", "ancestor-or-self", "following-sibling",
        "preceding-sibling", "following", "preceding", "self"]
values = ["a", "b", "1", "2", "one", "x", ""]


def test(r):
    return r.choice(names + ["*", "*", "node()", "text()", "p:*"])


def step(r, d):
    x = r.random()
    if x < 0.1:
        return ".."
    if x < 0.15:
        return "."
    s = (r.choice(axes) + "::" if x < 0.5 else "") + test(r)
    while d > 0 and r.random() < 0.3:
        s += "[" + pred(r, d - 1) + "]"
    return s


def path(r, d):
    s = r.choice(["", "", "/", "//", "/r/", "/r/item/", "../"])
    n = r.choice([1, 1, 2, 2, 3, 4])
    for i in range(n):
        s += step(r, d) + (r.choice(["/", "/", "/", "//"]) if i < n - 1 else "")
    if r.random() < 0.1:
        s = "(" + s + ")[" + pred(r, d - 1) + "]"
    return s


def pred(r, d):
    x = r.random()
    if x < 0.2:
        return str(r.randint(1, 4))
    if x < 0.3:
        return "last()"
    if x < 0.45:
        return r.choice(names) + "='" + r.choice(values) + "'"
    if x < 0.5:
        return "position() " + r.choice(["<", ">", "=", "!="]) + " " + str(r.randint(1, 4))
    if x < 0.55:
        return ".='" + r.choice(values) + "'"
    return expr(r, d)


def expr(r, d):
    if d <= 0:
        return r.choice([path(r, 0), "'" + r.choice(values) + "'", str(r.randint(0, 3)), "position()", "last()"])
    x = r.random()
    if x < 0.3:
        return path(r, d)
    if x < 0.4:
        return path(r, d) + " | " + path(r, d)
    if x < 0.6:
        return expr(r, d - 1) + r.choice([" = ", " != ", " < ", " >= "]) + expr(r, d - 1)
    if x < 0.7:
        return "(" + expr(r, d - 1) + ")" + r.choice([" and ", " or "]) + expr(r, d - 1)
    if x < 0.8:
        return "(" + expr(r, d - 1) + ")" + r.choice([" + ", " - ", " * ", " div ", " mod "]) + "(" + expr(r, d - 1) + ")"
    if x < 0.85:
        return "count(" + path(r, d) + ")"
    return r.choice(["not", "string", "number", "boolean", "string-length"]) + "(" + expr(r, d - 1) + ")"


def main():
    seed, n = int(sys.argv[1]), int(sys.argv[2])
    r = random.Random(seed)
    rows = []
    for line in open("expressions.txt"):
        line = line.rstrip("\n")
        rows += [(line, c) for c in CONTEXTS]
    while len(rows) < n:
        rows.append((expr(r, 2), r.choice(CONTEXTS)))
    for e, c in rows:
        try:
            v = evaluate(e, c)
        except etree.XPathError:
            continue
        # Attributes and namespaces; the root is left out of sets by lxml itself.
        if v is None:
            continue
        print(json.dumps([e, c, v], ensure_ascii=False))


main()
