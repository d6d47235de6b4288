"""Makes GGUF files whose metadata hold the small tokenizers of ../tokenizers, and what the reference libraries make of the strings there.

Written with Python 3, gguf 0.19.0, tokenizers 0.23.3, transformers 5.24.0 and sentencepiece 0.2.3. Run it from anywhere; it writes beside itself.

    gpt2.gguf, llama3.gguf, sentencepiece.gguf    the tokenizers of that name, typed as llama.cpp's converters do; their ids are in
                                                  ../tokenizers/NAME/expected.json
    gemma.gguf                                    a small tokenizer of Gemma's kind: runs of line breaks and spaces and HTML as user-defined
                                                  tokens, spaces stored as spaces, no space before texts
    gemma.json                                    what Transformers, reading gemma.gguf, makes of ../tokenizers/strings.json: ids and texts
    kinds.json                                    for each name in tokenizer.ggml.pre the ids that the vocabulary of gpt2.gguf gives with the
                                                  pre-tokenizer of the tokenizer.json of such models, by the number of the string in
                                                  strings.json; strings that give the same as with GPT-2's are left out
"""

import io
import json
import sys
from pathlib import Path

import gguf
import sentencepiece
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from transformers.integrations.gguf.gguf_tokenizer_mapping import (GGUF_PRE_TOKENIZER_SPLITS, convert_gguf_tokenizer,
                                                                   get_gguf_tokenizer)

HERE = Path(__file__).parent
SOURCES = HERE.parent / "tokenizers"
sys.path.insert(0, str(SOURCES))
import make_tokenizers  # noqa: E402

NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


def strings():
    return json.loads((SOURCES / "strings.json").read_text())


def write(name, architecture, model, tokens, types, pre=None, scores=None, merges=None, ids={}, flags={}):
    writer = gguf.GGUFWriter(HERE / f"{name}.gguf", architecture)
    writer.add_tokenizer_model(model)
    if pre:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    if scores:
        writer.add_token_scores(scores)
    writer.add_token_types(types)
    if merges:
        writer.add_token_merges(merges)
    for role, id in ids.items():
        writer.add_uint32(f"tokenizer.ggml.{role}_token_id", id)
    for flag, value in flags.items():
        writer.add_bool(f"tokenizer.ggml.{flag}", value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def byte_level(name, pre, ids):
    state = json.loads((SOURCES / name / "tokenizer.json").read_text())
    tokens = {id: token for token, id in state["model"]["vocab"].items()}
    added = {token["id"]: token for token in state["added_tokens"]}
    tokens.update({id: token["content"] for id, token in added.items()})
    order = range(max(tokens) + 1)
    types = [UNUSED if id not in tokens else NORMAL if id not in added else CONTROL if added[id]["special"] else USER for id in order]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in state["model"]["merges"]]
    write(name, "llama", "gpt2", [tokens.get(id, f"[PAD{id}]") for id in order], types, pre=pre, merges=merges, ids=ids)


def pieces(processor, text=lambda piece, type: piece):
    tokens, scores, types = [], [], []
    for id in range(processor.vocab_size()):
        piece = processor.id_to_piece(id)
        # SentencePiece tells of user-defined pieces only by what they are not
        type = (UNKNOWN if processor.is_unknown(id) else CONTROL if processor.is_control(id) else BYTE if processor.is_byte(id)
                else USER if processor.get_score(id) == 0 and piece in GEMMA else NORMAL)
        tokens.append(text(piece, type))
        scores.append(processor.get_score(id) if type == NORMAL else -1000.0)
        types.append(type)
    return tokens, scores, types


def sentencepiece_file():
    model = (SOURCES / "sentencepiece" / "tokenizer.model").read_bytes()
    tokens, scores, types = pieces(sentencepiece.SentencePieceProcessor(model_proto=model))
    write("sentencepiece", "llama", "llama", tokens, types, pre="default", scores=scores,
          ids={"bos": 1, "eos": 2, "unknown": 0}, flags={"add_bos_token": True, "add_eos_token": True})


GEMMA = (["\n" * count for count in range(1, 6)] + ["▁" * count for count in range(2, 6)] + ["<table>", "</table>", "<h1>", "</h1>", "[multimodal]"]
         + ["\t" * count for count in range(1, 4)])


def gemma_file():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(make_tokenizers.CORPUS[:11]), model_writer=model, vocab_size=540, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False, character_coverage=0.985,
        split_digits=True, minloglevel=2, pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>", eos_piece="<eos>", bos_piece="<bos>",
        control_symbols=["<mask>", "<unused0>", "<unused1>", "<start_of_turn>"], user_defined_symbols=GEMMA)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    tokens, scores, types = pieces(processor, lambda piece, type: piece.replace("▁", " ") if type == USER else piece)
    assert types.count(USER) == len(GEMMA), types.count(USER)
    write("gemma", "gemma3", "llama", tokens, types, pre="default", scores=scores, ids={"bos": 2, "eos": 1, "unknown": 3, "padding": 0},
          flags={"add_bos_token": True, "add_eos_token": False, "add_space_prefix": False})
    architecture, tables, _ = get_gguf_tokenizer(str(HERE / "gemma.gguf"))
    tokenizer, _ = convert_gguf_tokenizer(architecture, tables)
    texts = strings()
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    dump("gemma.json", {"ids": ids, "text": [tokenizer.decode(i, skip_special_tokens=False) for i in ids]})


def kinds():
    """The pre-tokenizers, from Transformers where it has them, else as the tokenizer.json of a model of the kind has them."""
    def split(expression):
        return pre_tokenizers.Split(Regex(expression), behavior="isolated")

    gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    spelled = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    digits = pre_tokenizers.Digits(individual_digits=True)
    result = {name: ([split(expression), spelled], name in ("qwen2", "deepseek-r1-qwen", "megrez"))
              for name, expression in GGUF_PRE_TOKENIZER_SPLITS.items()
              if name in ("llama-bpe", "llama3", "dbrx", "smaug-bpe", "qwen2", "deepseek-r1-qwen", "tekken", "gpt-4o", "llama4")}
    result["stablelm2"] = ([split(GGUF_PRE_TOKENIZER_SPLITS["qwen2"]), spelled], False)
    for name in ("gpt-2", "gpt2", "phi-2", "default"):
        result[name] = ([gpt2], False)
    for name in ("olmo", "mpt"):
        result[name] = ([gpt2], True)
    for name in ("smollm", "starcoder", "refact"):
        result[name] = ([digits, gpt2], False)
    result["command-r"] = ([digits, gpt2], True)
    result["falcon"] = ([pre_tokenizers.Punctuation("contiguous"), gpt2, pre_tokenizers.Digits(individual_digits=False),
                         split("[0-9][0-9][0-9]")], False)
    result["bloom"] = ([split(" ?[^(\\s|[.,!?…。，、।۔،])]+"), spelled], False)
    result["deepseek-coder"] = ([split("[\r\n]"), split("\\s?\\p{L}+"), split("\\s?\\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"), digits, spelled], False)
    result["deepseek-v3"] = (
        [split("\\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"),
         split("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*"
               "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"), spelled], False)
    result["deepseek-llm"] = ([split("[\r\n]"), split("\\s?[" + LETTERS + "]+"), split("\\s?[!-/:-~！-／：-～‘-‟　-。]+"), split("\\s+$"),
                               split("[一-龥ࠀ-一가-퟿]+"), digits, spelled], False)
    return result


# Written in ranges of letters; most have a case.
LETTERS = (
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ"
    "\u1f5f-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌῐ-\u1fd3ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⲳⳳ"
    "Ꙁ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃")


def kinds_file():
    base = json.loads((SOURCES / "gpt2" / "tokenizer.json").read_text())
    texts = strings()
    plain = [Tokenizer.from_str(json.dumps(base)).encode(text, add_special_tokens=False).ids for text in texts]
    result = {}
    for name, (steps, is_composed) in sorted(kinds().items()):
        tokenizer = Tokenizer.from_str(json.dumps(base))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
        if is_composed:
            tokenizer.normalizer = normalizers.NFC()
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        result[name] = {str(number): list for number, list in enumerate(ids) if list != plain[number]}
    dump("kinds.json", result)


def dump(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    byte_level("gpt2", "gpt-2", {"bos": 0, "eos": 0})
    byte_level("llama3", "llama-bpe", {"bos": 0, "eos": 1})
    sentencepiece_file()
    gemma_file()
    kinds_file()
