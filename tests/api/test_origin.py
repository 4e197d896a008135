"""What a model was made of has one fingerprint, wherever its files lie."""

import json

import ebmlang
from ebmlang.api.origin import read_origin


def write(folder, main="main.ebm", bowl="fn bowl(x: real) = x^2\n"):
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "bowl.ebm").write_text(bowl)
    (folder / main).write_text(
        "from .parts.bowl import bowl\nconst m = 1.0\nvar x: real\nminimize low: bowl(x - m)\n"
    )
    return folder / main


def test_the_folder_and_the_name_of_a_spec_do_not_count(tmp_path):
    one, other = write(tmp_path / "one"), write(tmp_path / "other", main="renamed.ebm")

    assert ebmlang.load(one).origin.hash == ebmlang.load(other).origin.hash


def test_constants_and_the_text_of_a_module_count(tmp_path):
    plain = write(tmp_path / "plain")
    module = write(tmp_path / "module", bowl="fn bowl(x: real) = 2 * x^2\n")

    hashes = {
        ebmlang.load(plain).origin.hash,
        ebmlang.load(module).origin.hash,
        ebmlang.load(plain, constants={"m": 2.0}).origin.hash,
    }
    assert len(hashes) == 3


def test_what_is_described_is_read_back_with_the_same_fingerprint(tmp_path):
    origin = ebmlang.load(write(tmp_path / "one"), constants={"m": 2}).origin

    read = read_origin(json.loads(json.dumps(origin.describe())))

    assert read.hash == origin.hash
    assert str(tmp_path) not in json.dumps(origin.describe())
