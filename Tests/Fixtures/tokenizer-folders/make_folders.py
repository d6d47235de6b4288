"""Makes folders.json: tokenizer folders whose files contradict each other, and what AutoTokenizer makes of them.

Written with Python 3, tokenizers 0.23.3 and transformers 5.24.0. Run it from anywhere; it writes beside itself.

    strings   what is encoded in every folder
    bases     files that the folders share, and the end of a tokenizer.json with a vocabulary and merges
    folders   name, base, files (null for those of the base; a tokenizer.json lacks the vocabulary and the merges, which go to the end of
              its model) and what the reference gives:
                  class    the class of AutoTokenizer
                  roles    ids of bos, eos, pad and unk
                  special  ids that are left out when special tokens are skipped
                  ids      of each string without special tokens
                  prefix, suffix    what encoding with special tokens adds
                  text, plain       decoding of the ids between prefix and suffix, with special tokens kept and skipped
"""

import copy
import json
import os
import tempfile
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

HERE = Path(__file__).parent
CORPUS = [
    "The quick brown fox jumps over the lazy dog, and the dog doesn't mind; it's asleep.",
    "the the then there their these those other another mother father weather whether hello world",
    "Numbers: 1, 22, 333 and 4444. Über naïve café señor Ångström 日本語 中文 мир",
] * 4
STRINGS = [
    "", " ", "  ", "a", " a", "  a ", "Hello World", "hello  world", "ÜBER Naïve café", "e\u0301 Å\u030a", "日本語 中文a", "don't it's I'M",
    "a\n\nb\tc", "1234 22", "x</s>y", "x </s> y", " </s>", "<s>the</s> dog", "the <pad> dog<mask> x", "[CLS] a [SEP]", "a [MASK] b", "<unk>",
    "<|endoftext|>", "the<|endoftext|> dog", "▁the", " ▁ the", "😀 мир", "the\u00a0dog", "(a) b, c! d?", "NEW the THE", "the</S>",
]
SPECIALS = ["<pad>", "<s>", "</s>", "<unk>", "<mask>", "<|endoftext|>"]


def trained(pre_tokenizer, alphabet, specials, size, model, trainer, **options):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(
        CORPUS, trainer(vocab_size=size, special_tokens=specials, initial_alphabet=alphabet, show_progress=False, **options))
    return json.loads(tokenizer.to_str())["model"]


def bases():
    level = trained(pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.ByteLevel.alphabet(), SPECIALS, 340, models.BPE(),
                    trainers.BpeTrainer)
    space = trained(pre_tokenizers.Metaspace(), [], SPECIALS + [f"<0x{byte:02X}>" for byte in range(256)], 360, models.BPE(),
                    trainers.BpeTrainer)
    word = trained(pre_tokenizers.BertPreTokenizer(), [], ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], 150,
                   models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer)
    vocabulary = word["vocab"]
    for token in ["uber", "cafe", "naive", "hello", "world", "über", "café"]:
        vocabulary.setdefault(token, len(vocabulary))
    return {
        "level": {"vocab": level["vocab"], "merges": level["merges"]}, "space": {"vocab": space["vocab"], "merges": space["merges"]},
        "word": {"vocab": vocabulary},
    }


BASES = bases()


def added(id, content, special=True, normalized=False, lstrip=False, rstrip=False, single_word=False):
    return {"id": id, "content": content, "single_word": single_word, "lstrip": lstrip, "rstrip": rstrip, "normalized": normalized,
            "special": special}


def listed(*tokens):
    return {str(token["id"]): {key: value for key, value in token.items() if key != "id"} for token in tokens}


def level(prefix=False, regex=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


def template(prefix=(), suffix=()):
    def part(tokens):
        return [{"SpecialToken": {"id": token, "type_id": 0}} for token, _ in tokens]
    a = {"Sequence": {"id": "A", "type_id": 0}}
    b = {"Sequence": {"id": "B", "type_id": 1}}
    return {"type": "TemplateProcessing", "single": part(prefix) + [a] + part(suffix), "pair": part(prefix) + [a, b] + part(suffix),
            "special_tokens": {token: {"id": token, "ids": [id], "tokens": [token]} for token, id in [*prefix, *suffix]}}


def tokenizer(base, **parts):
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
             "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
    result = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
              "post_processor": None, "decoder": None, "model": model}
    if base == "level":
        result.update(added_tokens=[added(index, token) for index, token in enumerate(SPECIALS)], pre_tokenizer=level(), decoder=level())
    elif base == "space":
        model.update(unk_token="<unk>", fuse_unk=True, byte_fallback=True)
        result.update(
            added_tokens=[added(index, token) for index, token in enumerate(SPECIALS[:4])],
            normalizer={"type": "Sequence", "normalizers": [
                {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
            post_processor=template([("<s>", 1)]),
            decoder={"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})
    else:
        result["model"] = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
        result.update(
            added_tokens=[added(index, token) for index, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])],
            normalizer={"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
            pre_tokenizer={"type": "BertPreTokenizer"},
            post_processor={"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
            decoder={"type": "WordPiece", "prefix": "##", "cleanup": True})
    for key, value in parts.items():
        if key == "model":
            result["model"].update(value)
        else:
            result[key] = value
    return result


FOLDERS = []


def folder(name, base, configuration, model_type=None, files=None, **parts):
    """A folder with a tokenizer.json, or, where `files` are given, with those instead."""
    contents = dict(files or {})
    if files is None or "special_tokens_map.json" in contents:
        contents["tokenizer.json"] = tokenizer(base, **parts)
    if configuration is not None:
        contents["tokenizer_config.json"] = configuration
    if model_type is not None:
        contents["config.json"] = {"model_type": model_type}
    FOLDERS.append({"name": name, "base": base, "files": contents})


def bert():
    def normalizer(lowercase, accents=None, ideographs=True):
        return {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": ideographs, "strip_accents": accents,
                "lowercase": lowercase}
    for cls, kind in [("BertTokenizer", "bert"), ("BertTokenizerFast", None), ("DistilBertTokenizerFast", "distilbert"), (None, "bert"),
                      ("PreTrainedTokenizerFast", "bert"), ("PreTrainedTokenizerFast", None), ("BertTokenizer", "roberta")]:
        head = {"tokenizer_class": cls} if cls else {}
        folder(f"bert cased file, lower-case class {cls} {kind}", "word", head, kind, normalizer=normalizer(False))
        folder(f"bert lower-case file, cased class {cls} {kind}", "word", {**head, "do_lower_case": False}, kind)
    for flags in [{"strip_accents": True, "do_lower_case": False}, {"strip_accents": False}, {"tokenize_chinese_chars": False},
                  {"strip_accents": None, "do_lower_case": True}]:
        folder(f"bert {json.dumps(flags)}", "word", {"tokenizer_class": "BertTokenizer", **flags}, "bert", normalizer=normalizer(False, True))
        folder(f"bert file as it is {json.dumps(flags)}", "word", {"tokenizer_class": "PreTrainedTokenizerFast", **flags}, "bert",
               normalizer=normalizer(False, True, False))
    folder("bert other pre-tokenizer, limit and template", "word", {"tokenizer_class": "BertTokenizer"}, "bert",
           pre_tokenizer={"type": "WhitespaceSplit"}, post_processor=template([("[SEP]", 3)]), model={"max_input_chars_per_word": 4})
    folder("bert without post-processor", "word", {"tokenizer_class": "BertTokenizer"}, "bert", post_processor=None)
    folder("bert roles that are not special", "word", {"tokenizer_class": "BertTokenizer"}, "bert",
           added_tokens=[added(index, token, special=False) for index, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])])
    folder("bert listed tokens", "word", {"tokenizer_class": "BertTokenizer", "added_tokens_decoder": listed(
        added(2, "[CLS]"), added(3, "[SEP]"), added(4, "[MASK]", lstrip=True, rstrip=True))}, "bert")
    folder("bert vocab.txt", "word", {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "strip_accents": True}, "bert",
           files={"vocab.txt": None})


def gpt2():
    roles = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    for cls, kind in [("GPT2Tokenizer", "gpt2"), ("GPT2TokenizerFast", "opt"), ("GPT2Tokenizer", None), ("GPT2Tokenizer", "llama"),
                      ("PreTrainedTokenizerFast", "gpt2"), (None, "opt")]:
        head = {"tokenizer_class": cls, **roles} if cls else roles
        folder(f"gpt2 {cls} {kind}, prefix space asked for", "level", {**head, "add_prefix_space": True}, kind)
        folder(f"gpt2 {cls} {kind}, prefix space in the file", "level", head, kind, pre_tokenizer=level(True))
    folder("gpt2 roles of the class", "level", {"tokenizer_class": "GPT2Tokenizer"}, "gpt2")
    folder("gpt2 template of the file", "level", {"tokenizer_class": "GPT2Tokenizer", **roles, "add_bos_token": False}, "gpt2",
           post_processor=template([("<s>", 1)], [("</s>", 2)]), normalizer={"type": "Lowercase"})
    folder("gpt2 listed tokens only", "level", {"tokenizer_class": "GPT2Tokenizer", "added_tokens_decoder": listed(
        added(5, "<|endoftext|>", normalized=True, special=True))}, "gpt2")
    folder("gpt2 unknown token of the file", "level", {"tokenizer_class": "GPT2Tokenizer", **roles}, "gpt2",
           model={"unk_token": "<unk>", "ignore_merges": True})
    folder("opt vocab.json", "level", {"tokenizer_class": "GPT2Tokenizer", **roles, "add_bos_token": True, "added_tokens_decoder": listed(
        added(0, "<pad>"), added(1, "<s>", special=False), added(2, "</s>", special=False, rstrip=True))}, "opt",
        files={"vocab.json": None, "merges.txt": None})
    folder("opt vocab.json with prefix space", "level", {"tokenizer_class": "GPT2Tokenizer", **roles, "add_prefix_space": True}, "opt",
           files={"vocab.json": None, "merges.txt": None})


def roberta():
    for cls, kind in [("RobertaTokenizer", "roberta"), ("BartTokenizerFast", "bart"), (None, "roberta"), ("PreTrainedTokenizerFast", "roberta")]:
        head = {"tokenizer_class": cls} if cls else {}
        folder(f"roberta {cls} {kind}, prefix space asked for", "level", {**head, "add_prefix_space": True}, kind,
               post_processor={"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": True,
                               "add_prefix_space": False})
        folder(f"roberta {cls} {kind}, bare file", "level", {**head, "mask_token": "<mask>", "cls_token": "<s>", "sep_token": "<|endoftext|>"},
               kind)
    folder("roberta mask that takes spaces", "level", {"tokenizer_class": "RobertaTokenizer", "added_tokens_decoder": listed(
        added(0, "<pad>"), added(1, "<s>"), added(2, "</s>"), added(3, "<unk>"), added(4, "<mask>", lstrip=True))}, "roberta")
    folder("roberta vocab.json", "level", {"tokenizer_class": "RobertaTokenizer", "mask_token": {
        "__type": "AddedToken", "content": "<mask>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False}}, "roberta",
        files={"vocab.json": None, "merges.txt": None})


def llama():
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    for legacy in [None, True, False]:
        for space in [None, True, False]:
            flags = {key: value for key, value in [("legacy", legacy), ("add_prefix_space", space)] if value is not None}
            folder(f"llama Prepend {json.dumps(flags)}", "space", {"tokenizer_class": "LlamaTokenizer", **flags}, "llama")
            folder(f"llama Metaspace {json.dumps(flags)}", "space", {"tokenizer_class": "LlamaTokenizerFast", **flags}, None, normalizer=None,
                   pre_tokenizer=metaspace)
    roles = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    for cls, kind in [("PreTrainedTokenizerFast", "llama"), ("LlamaTokenizer", "mistral"), (None, "llama"), ("OtherTokenizer", "llama")]:
        head = {"tokenizer_class": cls} if cls else {}
        folder(f"llama file as it is {cls} {kind}", "space", {**head, **roles, "legacy": False, "add_prefix_space": False}, kind)
    folder("llama without fallback", "space", {"tokenizer_class": "LlamaTokenizer"}, "llama", model={"byte_fallback": False, "fuse_unk": False})
    folder("llama without post-processor", "space", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True}, "llama", post_processor=None)
    folder("llama by name only", "level", {"tokenizer_class": "LlamaTokenizer", **roles}, "llama")
    folder("llama roles that are not special", "space", {"tokenizer_class": "LlamaTokenizer"}, "llama",
           added_tokens=[added(index, token, special=False, normalized=True) for index, token in enumerate(SPECIALS[:4])])


def others():
    for cls, kind in [("Qwen2Tokenizer", "qwen2"), ("PreTrainedTokenizerFast", "qwen2"), ("Qwen2TokenizerFast", None), (None, "qwen3")]:
        folder(f"qwen {cls} {kind}", "level", {"tokenizer_class": cls} if cls else {}, kind)
    for cls, kind in [("GPTNeoXTokenizer", "gpt_neox"), ("GPTNeoXTokenizerFast", "gpt_neox"), (None, "gpt_neox"),
                      ("PreTrainedTokenizerFast", "gpt_neox")]:
        folder(f"neox {cls} {kind}", "level", {**({"tokenizer_class": cls} if cls else {}), "pad_token": "<pad>"}, kind,
               post_processor=template([("<s>", 1)]))
    # a LLaMA class on byte-level words is read by its class where a model type says nothing else
    folder("llama class on a GPT-2 model", "space", {"tokenizer_class": "LlamaTokenizer"}, "gpt2")


def tokens():
    as_is = {"tokenizer_class": "PreTrainedTokenizerFast"}
    usual = [added(index, token) for index, token in enumerate(SPECIALS)]
    count = len(BASES["level"]["vocab"])
    the = BASES["level"]["vocab"]["the"]

    def case(name, configuration, tokens=usual, files=None, **parts):
        folder("tokens: " + name, "level", {**as_is, **configuration}, "llama", files=files, added_tokens=tokens, **parts)
    plain = [added(index, token, special=False) for index, token in enumerate(SPECIALS)]
    case("roles say special", {"eos_token": "</s>", "bos_token": "<s>", "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>",
                               "cls_token": "<|endoftext|>"}, plain)
    case("one role says special", {"eos_token": "</s>"}, plain)
    case("others say special", {"eos_token": "</s>", "additional_special_tokens": ["the", "<new>"]})
    case("extra tokens say special", {"eos_token": "</s>", "extra_special_tokens": ["the"]})
    case("a model's own role", {"eos_token": "</s>", "image_token": "the"})
    case("a map of extra tokens", {"eos_token": "</s>", "extra_special_tokens": {"image_token": "the"}})
    case("role of a word of the vocabulary", {"eos_token": "the", "pad_token": "dog"})
    case("roles without added tokens", {"eos_token": "</s>", "pad_token": "<pad>"}, [])
    case("padding without an id", {"eos_token": "</s>", "pad_token": "[PAD]"})
    case("padding and others without ids", {"eos_token": "</s>", "pad_token": "[PAD]", "additional_special_tokens": ["<a>", "<b>"]})
    case("id that is not the vocabulary's", {}, usual + [added(count + 5, "the", special=False)])
    case("id that is another token's", {}, usual + [added(the, "<x>")])
    case("two tokens of one id", {}, usual + [added(count, "<x>"), added(count, "<y>")])
    case("one token twice", {}, usual + [added(count, "<x>"), added(count, "<x>", special=False, lstrip=True)])
    case("listed flags", {"added_tokens_decoder": listed(
        added(2, "</s>", lstrip=True, rstrip=True), added(1, "<s>", special=False, normalized=True), added(4, "<mask>", single_word=True))})
    case("listed flags and roles", {"eos_token": "</s>", "pad_token": "<pad>", "added_tokens_decoder": listed(
        added(2, "</s>", lstrip=True, special=False), added(0, "<pad>", special=False))}, plain)
    case("listed ids", {"added_tokens_decoder": listed(added(count + 9, "the"), added(the, "<zz>"))})
    case("listed word", {"added_tokens_decoder": {str(the): {"content": "the", "special": False}}})
    case("role with flags", {"eos_token": {"__type": "AddedToken", "content": "the", "lstrip": True, "rstrip": False, "single_word": False,
                                           "normalized": True}})
    case("map of special tokens counts", {"eos_token": "</s>"}, files={"special_tokens_map.json": {
        "eos_token": {"content": "the", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}, "pad_token": "<pad>"}})
    case("map of special tokens does not count", {"eos_token": "</s>", "added_tokens_decoder": listed(added(2, "</s>"))},
         files={"special_tokens_map.json": {"eos_token": "the"}})
    case("special tokens are text", {"eos_token": "</s>", "split_special_tokens": True})
    case("unknown token without an id", {}, model={"unk_token": "<nothing>"})
    case("unknown token without a text", {}, model={"unk_token": "", "dropout": 0.0, "byte_fallback": None})


def splits():
    patterns = {
        "deepseek": [r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
                     "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*"
                     "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"],
        "deepseek-llm": ["[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+"],
        "deepseek-coder": ["[\r\n]", "\\s?[A-Za-zµÀ-ÖØ-öø-ƺ]+", "\\s?[!-/:-~！-／：-～‘-‟　-。]+", "\\s+$", "[一-龥ࠀ-一가-퟿]+"],
        "gpt-4o": ["[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                   "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                   "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"],
        "digits": [r"\d{1,3}(?=\d)|\d+", r"\w+|[^\w\s]+"], "words": [r"\S+\s?", r"[^\S\n]+|[a-c\x41\u0042]+"],
        "letters": ["(?:a|ab)(?:c|b)?|(?i:ks)", "^.|.$"],
    }
    for name, list in patterns.items():
        for behavior in ["Isolated", "Removed", "MergedWithNext"]:
            if behavior != "Isolated" and name not in ("deepseek-llm", "words"):
                continue
            parts = [{"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": False} for pattern in list]
            folder(f"split {name} {behavior}", "level", {"tokenizer_class": "PreTrainedTokenizerFast"}, "llama",
                   pre_tokenizer={"type": "Sequence", "pretokenizers": parts + [level(False, False)]})


def merges():
    base = BASES["level"]
    BASES["repeated"] = {"vocab": base["vocab"], "merges": base["merges"] + [base["merges"][0], base["merges"][3], base["merges"][10]]}
    contents = tokenizer("level")
    FOLDERS.append({"name": "merges that repeat", "base": "repeated", "files": {
        "tokenizer.json": contents, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"}}})


def expected(entry):
    base = BASES[entry["base"]]
    with tempfile.TemporaryDirectory() as path:
        for name, value in entry["files"].items():
            value = copy.deepcopy(value)
            if name == "tokenizer.json":
                value["model"].update(base)
            if name == "vocab.json":
                value = base["vocab"]
            if name == "merges.txt":
                text = "#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in base["merges"])
            elif name == "vocab.txt":
                text = "".join(token + "\n" for token in sorted(base["vocab"], key=base["vocab"].get))
            else:
                text = json.dumps(value, ensure_ascii=False)
            Path(path, name).write_text(text)
        reference = AutoTokenizer.from_pretrained(path)
    ids = [reference.encode(string, add_special_tokens=False) for string in STRINGS]
    wrapped = [reference.encode(string, add_special_tokens=True) for string in STRINGS]
    empty = wrapped[0]
    start = next((place for place in range(len(empty) + 1) if all(
        whole[:place] == empty[:place] and whole[place:place + len(part)] == part and whole[place + len(part):] == empty[place:]
        for whole, part in zip(wrapped, ids))))
    count = len(reference)
    return {
        "class": type(reference).__name__,
        "roles": [reference.bos_token_id, reference.eos_token_id, reference.pad_token_id, reference.unk_token_id],
        "special": [id for id in reference.added_tokens_decoder if id < count and not reference.decode([id], skip_special_tokens=True)
                    and reference.decode([id])],
        "ids": ids, "prefix": empty[:start], "suffix": empty[start:],
        "text": [reference.decode(part) for part in ids], "plain": [reference.decode(part, skip_special_tokens=True) for part in ids],
    }


for make in [bert, gpt2, roberta, llama, others, tokens, splits, merges]:
    make()
for entry in FOLDERS:
    try:
        entry["expected"] = expected(entry)
    except Exception as error:
        raise SystemExit(f"{entry['name']}: {error!r}")
for entry in FOLDERS:
    # what is derived from the base is not repeated, and neither is a text that is the string itself
    result = entry["expected"]
    for key in ["text", "plain"]:
        result[key] = [None if text == string else text for text, string in zip(result[key], STRINGS)]
def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def texts(base):
    """What a base puts into files: the end of a tokenizer.json's model, and whole files."""
    lines = sorted(base["vocab"], key=base["vocab"].get)
    result = {"model": compact(base)[1:], "vocab.json": compact(base["vocab"]), "vocab.txt": "".join(line + "\n" for line in lines)}
    if "merges" in base:
        result["merges.txt"] = "#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in base["merges"])
    return result


for entry in FOLDERS:
    entry["files"] = {name: None if value is None else compact(value) for name, value in entry["files"].items()}
with open(HERE / "folders.json", "w") as file:
    bases = compact({name: texts(base) for name, base in BASES.items()})
    lines = ",\n".join(map(compact, FOLDERS))
    file.write(f'{{"strings":{compact(STRINGS)},\n"bases":{bases},\n"folders":[\n{lines}\n]}}\n')
print(len(FOLDERS), "folders")
