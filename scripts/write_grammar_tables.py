"""Write `grammar/tables.json`, the grammar as tables, for whoever starts with empty caches.

python scripts/write_grammar_tables.py
"""

from ebmlang.syntax.grammar import TABLES, find_grammar, show_tables
from ebmlang.syntax.tables import build_tables

if __name__ == "__main__":
    folder = find_grammar()
    text = show_tables(folder, build_tables(folder))
    (folder / TABLES).write_text(f"{text}\n", encoding="utf-8")
