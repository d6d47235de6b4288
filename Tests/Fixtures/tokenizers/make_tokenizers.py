"""Makes the tokenizer fixtures: small tokenizers of every kind, and what the reference libraries do with nasty strings.

Written with Python 3, tokenizers 0.23.3, transformers 5.23.0 and sentencepiece 0.2.3. Run it from anywhere; it writes
beside itself. One folder per kind: the tokenizer's files and expected.json, whose lists run parallel to strings.json:

    ids             encoding without special tokens
    prefix, suffix  what encoding with special tokens adds to every text
    text            decoding of `ids` with special tokens kept; null where it is the string itself
    plain           decoding of `ids` with special tokens skipped; null where it is the same as `text`
    wrapped         decoding of prefix + ids of the last string + suffix, with special tokens kept
"""

import io
import json
import os
import random
import unicodedata
import zlib
from pathlib import Path

import sentencepiece
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)
from transformers import AutoTokenizer, BertTokenizer, GPT2Tokenizer, LlamaTokenizer, RobertaTokenizer
from transformers.convert_slow_tokenizer import generate_merges

HERE = Path(__file__).parent

CORPUS = [
    "The quick brown fox jumps over the lazy dog, and the dog doesn't mind; it's asleep.",
    "I'm sure they'll say we've seen what he'd done. You're right!",
    "Numbers: 1, 22, 333, 4444 and 55555; dates like 2024-01-31, prices like $1,234.56.",
    "def main():\n    for i in range(10):\n        print(i)\n\n\nif __name__ == '__main__':\n    main()\n",
    "Über naïve façades: café, crème brûlée, señor, Ångström, Æsir, Straße, ŒUVRE.",
    "Привет, мир! Как дела? Всё хорошо.",
    "日本語のテキストと中文文本 한국어 텍스트",
    "مرحبا بالعالم שלום עולם नमस्ते दुनिया สวัสดี",
    "👨‍👩‍👧‍👦 family 👍🏽 thumbs 🇩🇪 flag ❤️ heart",
    "SUBREDDIT: r/relationships\nTITLE: My friend told me\nPOST: so I said hello and hello again\nTL;DR: hello",
    "the the the then there their these those other another mother father weather whether",
] * 3

STRINGS = [
    "", " ", "  ", "   ", "\n", "\n\n", "\n\n\n", "\t", "\r\n", " \n", "\n ", " \n ", "a", " a", "a ", "  a  ", "a\n",
    "\na", "a\n\nb", "a \n b", "a  b", "a   b", "a\t\tb", "a \t b", "a\r\nb\rc\n", " " * 50, "a" + " " * 33 + "b",
    "\n" * 20 + "x", "hello world", "Hello, World!", "HELLO WORLD", "it's he's I'm you're we've they'll I'd",
    "IT'S HE'S I'M YOU'RE WE'VE THEY'LL I'D", "'s", " 's", "''s", "'S 'T 'RE 'VE 'M 'LL 'D", "'\u017f x'\u017ft",
    "don't stop'till", "'sx 'tx 'rex 'r 'v 'l 'l l", "1", "12", "123", "1234", "12345678", "3.14159", "1,234,567.89",
    "a1b2c3", "1a 2b 3c", "x²+y³=½", "Ⅷ ⅷ ④ ٣٤٥ १२३ 〇 三", "!", "!!", "?!...", "a!b?c.", " !", "! a", "(a) [b] {c}",
    "#hash @at $dollar %percent ^caret &and *star", "snake_case CamelCase kebab-case", "__init__", "a_b", "_ _", "~`|\\/",
    "e-mail@example.com", "https://example.com/a?b=c&d=e#f", "<b>bold</b>", "«guillemets» „quotes“ ‚x‘ “y” ‘z’ …",
    "—em –en ‐hyphen −minus", "¿qué? ¡sí!", "caf\u00e9", "cafe\u0301", "\u00c5 \u212b A\u030a",
    "\u1e9b\u0323 \u1e69 s\u0323\u0307 s\u0307\u0323", "n\u0303o", "o\u0308\u0304", "\u0301", "\u0301a", " \u0301", "a \u0301b",
    "Z\u0351\u036b\u0343a\u0323\u0308\u0300l\u0321g\u0327\u0338o\u0362", "ﬁ ﬂ ﬀ ﬃ ﬆ", "Ａ１！　ｆｕｌｌ", "ﾊﾝｶｸ ｶﾞ", "①②③ ㈱ ㎏ ℡ ™",
    "ß ẞ ſ İ ı I i", "ΑΣ ας Σ σ ς", "Ǆ ǅ ǆ Ŀ ŉ", "Привет мир", "ПРИВЕТ, Ёлка ёж й Й", "日本語", "日本語 テキスト", "中文，标点。",
    "漢字かな交じり文123abc", "한국어", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "안녕하세요 세계", "가각", "𠀀𠀁 \U0002f800",
    "مرحبا", "مُحَمَّد", "אבג שָׁלוֹם", "हिन्दी क्षत्रिय", "ไทยภาษา", "தமிழ்", "ქართული ᲥᲐᲠᲗᲣᲚᲘ", "Ꭰ ꭰ", "\u200fRTL\u200e \u202eabc\u202c",
    "😀", "😀😀", "a😀b", "👨‍👩‍👧‍👦", "👍🏽", "🇩🇪🇫🇷", "❤️", "❤", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "1️⃣",
    "👩🏾‍🚀 went", "\u0000", "a\u0000b", "\u0001\u0002\u001f", "\u007f", "\u0080\u0085\u009f", "\u000b\u000c", "a\u001cb\u001dc\u001e",
    "a\u00a0b", "\u00a0", "\u2003em\u2003", "\u2028\u2029", "\u3000全角\u3000", "\u200b", "a\u200bb", "\u200c\u200d", "\ufeffbom", "\u2060",
    "soft\u00adhyphen", "\u180e", "\ufffd", "\ufffe\uffff", "\ue000 \U000f0000", "\u0378 \u0530", "\U0010ffff", "\u1680 \u202f \u205f",
    "▁", "▁a", "a▁b", " ▁ ", "▁▁▁", "a ▁b", "▁ a", "##", "##a", "a##b", "</w>", "a</w>", "@@", "Ġ", "Ġa", "Ċ", "Ā",
    "<s>", "</s>", "<s>a", "a</s>", "a<s>b</s>c", "a <s> b </s> c", "<s></s><s>", "<s", "s>", "<<s>>", "< s >", "<S>", "</S>",
    "<unk>", "<pad>", "a<pad>b<unk>c", "<mask>", "a <mask> b", "a<mask>b", "  <mask>  ", "<mask><mask>", "a\n<mask>\nb", "<MASK>",
    "[CLS]", "[SEP] a [MASK] b [PAD] [UNK]", "[cls]", "x[MASK]y", "[MASK].", "<|endoftext|>", "a<|endoftext|>b", "<|endoftext|",
    "<0x0A>", "<0xE2>", "<0xe2>", "<0x0A>a<0xFF>", "yesterday", "Yesterday I", "yesterdays", "xyesterday", " yesterday ",
    "yesterday,yesterday", "ﬁnal", "final", "new york", "NEW YORK", "new yorker", "a new york b", "newyork", "hello", "Hello", "HELLO world",
    "hellohello hello", "the", "the ", " the", "thethethe", "x" * 40, "ab" * 40, "the" * 30, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b",
    "supercalifragilisticexpialidocious", "日" * 30, "!" * 40, "=" * 16 + "-" * 17, "a" * 101, "e\u0301" * 20,
    "SUBREDDIT: r/AskReddit\nTITLE: What's up?\nPOST: I (25M) don't know.\n\nTL;DR:", "    indented\n\tcode()\n        deep\n",
    "trailing space ", "trailing newline\n", "two  spaces .", " . , ! ? ' \"", "do n't ca n't it 's", "a . b , c ! d ? e", "mixed 日本 and English と",
    "do not . i 'm , they 've n't", "(  )", "a ' b", "x 's y 're z", "\u0e33 \u0e40\u0e01", "ｶﾞギグ", "\u1fef \u037e \u2126 \u212a",
    "\u0344 \u0958 \u2adc \ufb1d \U0001d15e", "\u0f73 \u0f75 \u0f81", "q\u0307\u0323", "\ud7a3\u11a8", "①st", "\u01c5\u1f88\u1fbc", "\u0130\u0307",
]


def random_strings(count, seed):
    """Strings of characters from everywhere, all of them older than Unicode 13, so that tables agree."""
    draw = random.Random(seed)
    pools = [
        list(range(0x20, 0x7F)), list(range(0x20, 0x7F)), [0x20, 0x20, 0x0A, 0x09, 0x0D, 0x3000, 0x85, 0xA0],
        list(range(0xA0, 0x180)), list(range(0x300, 0x370)), list(range(0x391, 0x3CA)), list(range(0x410, 0x450)),
        list(range(0x5D0, 0x5EB)), list(range(0x620, 0x653)), list(range(0x905, 0x94E)), list(range(0xE01, 0xE3B)),
        list(range(0x1100, 0x1113)) + list(range(0x1161, 0x1176)) + list(range(0x11A8, 0x11C3)), list(range(0x1E00, 0x1F00)),
        list(range(0x2010, 0x2060)), list(range(0x2070, 0x2072)) + list(range(0x2100, 0x218A)), list(range(0x3041, 0x3097)),
        list(range(0x4E00, 0x4F00)), list(range(0xAC00, 0xAD00)), list(range(0xFB00, 0xFB07)), list(range(0xFF01, 0xFF5F)),
        list(range(0x1D400, 0x1D455)), list(range(0x1F600, 0x1F640)), [0x1F3FB, 0x200D, 0xFE0F, 0x1F468, 0x1F469],
    ]
    result = []
    for _ in range(count):
        text = ""
        for _ in range(draw.randrange(1, 8)):
            pool = draw.choice(pools)
            text += "".join(chr(draw.choice(pool)) for _ in range(draw.randrange(1, 5)))
        result.append(text)
    return result


STRINGS += random_strings(80, seed=7)


def dump(path, value):
    path.write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


def record(name, encode, decode):
    ids = [encode(s, False) for s in STRINGS]
    prefix, suffix = None, None
    for s, plain in zip(STRINGS, ids):
        special = encode(s, True)
        extra = len(special) - len(plain)
        if plain:
            start = next(i for i in range(extra + 1) if special[i:i + len(plain)] == plain)
            if prefix is None:
                prefix, suffix = special[:start], special[start + len(plain):]
        assert special == prefix + plain + suffix if prefix is not None else True
    text = [decode(i, False) for i in ids]
    plain = [decode(i, True) for i in ids]
    dump(HERE / name / "expected.json", {
        "ids": ids, "prefix": prefix, "suffix": suffix,
        "text": [None if t == s else t for t, s in zip(text, STRINGS)],
        "plain": [None if p == t else p for p, t in zip(plain, text)],
        "wrapped": decode(prefix + ids[-1] + suffix, False)})


def write(name, tokenizer, config=None):
    """Saves a tokenizers.Tokenizer and records what it does."""
    (HERE / name).mkdir(exist_ok=True)
    tokenizer.save(str(HERE / name / "tokenizer.json"), pretty=False)
    if config:
        dump(HERE / name / "tokenizer_config.json", config)
    record(name, lambda s, special: tokenizer.encode(s, add_special_tokens=special).ids,
           lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip))


def record_transformers(name, tokenizer):
    record(name, lambda s, special: tokenizer.encode(s, add_special_tokens=special),
           lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip))


def byte_level(size, tokens, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=tokens, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    return tokenizer, trainer


def gpt2():
    tokenizer, trainer = byte_level(600, ["<|endoftext|>"])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    write("gpt2", tokenizer, {"tokenizer_class": "GPT2TokenizerFast", "bos_token": "<|endoftext|>",
                              "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"})


CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def llama3():
    """The pipeline of LLaMA 3; some tokens are words that no merges lead to."""
    tokenizer, trainer = byte_level(500, ["<|begin_of_text|>", "<|endoftext|>"])
    split = pre_tokenizers.Split(Regex(CONTRACTIONS + r"|\p{N}{1,3}" + REST), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainer)
    state = json.loads(tokenizer.to_str())
    for word in ["Ġworld", "hellohello", "ÃŁ"]:
        state["model"]["vocab"][word] = len(state["model"]["vocab"])
    state["model"]["ignore_merges"] = True
    tokenizer = Tokenizer.from_str(json.dumps(state))
    begin = ("<|begin_of_text|>", 0)
    template = processors.TemplateProcessing(single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                                             special_tokens=[begin])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), template])
    write("llama3", tokenizer, {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin_of_text|>",
                                "eos_token": "<|endoftext|>"})


def qwen():
    """The pipeline of Qwen 2."""
    tokenizer, trainer = byte_level(450, ["<|endoftext|>"])
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(CONTRACTIONS + r"|\p{N}" + REST), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([AddedToken("caf\u00e9", normalized=True), AddedToken("<mask>", rstrip=True, normalized=False)])
    write("qwen", tokenizer)


def metaspace():
    """Metaspace, byte fallback, and added tokens with every flag."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("#", "")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")])
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=560, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([unicodedata.normalize("NFKC", c) for c in CORPUS[:6]], trainer)
    # Byte tokens are ordinary ones.
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [t for t in state["added_tokens"] if not t["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_tokens([
        AddedToken("yesterday", single_word=True), AddedToken("new york", normalized=True, lstrip=True),
        AddedToken("<mask>", lstrip=True, rstrip=True, normalized=False), AddedToken("\ufb01nal", normalized=True),
        AddedToken("hello", single_word=True, lstrip=True, rstrip=True, normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B </s>",
                                                             special_tokens=[("<s>", 1), ("</s>", 2)])
    write("metaspace", tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})


def unknown():
    """Unknown characters one by one, no decoder, digits and punctuation; all pieces of what is no space."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Replace("--", "\u2014")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.Punctuation("contiguous")])
    trainer = trainers.BpeTrainer(vocab_size=200, special_tokens=["[UNK]", "[CLS]", "[SEP]"], show_progress=False,
                                  limit_alphabet=60)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    write("unknown", tokenizer, {"unk_token": "[UNK]"})


def suffix():
    """A suffix at the ends of words, lower case without accents, and the old BPE decoder."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.BPEDecoder("</w>")
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>"], show_progress=False, end_of_word_suffix="</w>")
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([AddedToken("NEW York", normalized=True), AddedToken("HELLO", normalized=True)])
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True, normalized=True)])
    write("suffix", tokenizer)


def prefix():
    """A prefix inside words, and splits at plain texts with every behaviour."""
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="##"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("_"), normalizers.Strip(left=False, right=True)])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(" ", "merged_with_previous"), pre_tokenizers.Split("e", "merged_with_next"),
        pre_tokenizers.Split(".", "removed"), pre_tokenizers.Split("a", "contiguous"),
        pre_tokenizers.Split("\n", "removed", invert=False), pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"),
                             "removed", invert=True)])
    tokenizer.decoder = decoders.Sequence([
        decoders.Strip(content="s", left=0, right=1), decoders.Replace("##", ""),
        decoders.Strip(content="_", left=1, right=0), decoders.Fuse(), decoders.Strip(content=" ", left=2, right=0)])
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<s>", "</s>"], show_progress=False,
                                  continuing_subword_prefix="##")
    tokenizer.train_from_iterator(CORPUS, trainer)
    write("prefix", tokenizer)


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
                                        show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([AddedToken("Hello", normalized=True), AddedToken("New York", single_word=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    write("wordpiece", tokenizer, {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]"})
    return tokenizer


def bert(trained):
    """vocab.txt, cased, read by Transformers."""
    (HERE / "bert").mkdir(exist_ok=True)
    vocabulary = {t: i for t, i in trained.get_vocab(with_added_tokens=False).items()}
    tokens = sorted(vocabulary, key=vocabulary.get) + ["A", "B", "H", "##L", "##O", "The", "caf\u00e9", "Q", "##\u00e9"]
    (HERE / "bert" / "vocab.txt").write_text("\n".join(tokens) + "\n")
    dump(HERE / "bert" / "tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer", "do_lower_case": False, "clean_up_tokenization_spaces": True})
    record_transformers("bert", BertTokenizer.from_pretrained(HERE / "bert"))


def byte_level_files(name, config, cls, extra=()):
    """vocab.json and merges.txt, read by Transformers."""
    (HERE / name).mkdir(exist_ok=True)
    tokenizer, trainer = byte_level(400, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    state = json.loads(tokenizer.to_str())["model"]
    dump(HERE / name / "vocab.json", state["vocab"])
    merges = [m if isinstance(m, str) else " ".join(m) for m in state["merges"]]
    (HERE / name / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    dump(HERE / name / "tokenizer_config.json", config)
    for file, content in extra:
        dump(HERE / name / file, content)
    record_transformers(name, cls.from_pretrained(HERE / name))


def token(content, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": True, **flags}


def opt():
    byte_level_files("opt", {
        "errors": "replace", "unk_token": token("</s>", __type="AddedToken"), "bos_token": token("</s>", __type="AddedToken"),
        "eos_token": token("</s>", __type="AddedToken"), "pad_token": token("<pad>", __type="AddedToken"),
        "add_prefix_space": False, "add_bos_token": True, "tokenizer_class": "GPT2Tokenizer"}, GPT2Tokenizer)


def roberta():
    byte_level_files("roberta", {
        "tokenizer_class": "RobertaTokenizer", "add_prefix_space": True,
        "mask_token": token("<mask>", lstrip=True, normalized=False, __type="AddedToken"),
        "added_tokens_decoder": {"4": token("<mask>", lstrip=True, normalized=False, special=True),
                                 "400": token("yesterday", single_word=True, normalized=False, special=False)}},
        RobertaTokenizer)


def sentencepiece_tokenizer(first):
    """SentencePiece's own spaces.

    Transformers 5 puts no space before a text that begins with one. SentencePiece does, and so did Transformers 4, by
    this normalizer.
    """
    state = json.loads(first.to_str())
    state["pre_tokenizer"] = None
    state["normalizer"] = json.loads(normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]).__getstate__())
    return Tokenizer.from_str(json.dumps(state))


def check_sentencepiece(tokenizer, reference):
    for s in STRINGS:
        if not any(t in s for t in ["<s>", "</s>", "<unk>"]):
            assert tokenizer.encode(s, add_special_tokens=False).ids == reference.encode(s), s


def sentencepiece_files():
    """A SentencePiece model as LLaMA's, as SentencePiece itself has it and with `legacy` off."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS[:11]), model_writer=model, vocab_size=520, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, character_coverage=0.985,
        split_digits=True, allow_whitespace_only_pieces=True, minloglevel=2)
    for name, config in [("sentencepiece", {"add_eos_token": True}), ("sentencepiece-first", {"legacy": False})]:
        (HERE / name).mkdir(exist_ok=True)
        (HERE / name / "tokenizer.model").write_bytes(model.getvalue())
        dump(HERE / name / "tokenizer_config.json", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, **config})
    first = LlamaTokenizer(*llama_tables(model.getvalue()), legacy=False, add_bos_token=True)
    record_transformers("sentencepiece-first", first)
    tokenizer = sentencepiece_tokenizer(first.backend_tokenizer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    record("sentencepiece", lambda s, special: tokenizer.encode(s, add_special_tokens=special).ids,
           lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip))
    check_sentencepiece(tokenizer, sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()))


def real():
    """LLaMA's and OPT's own files, where they are at hand; only what they do is written."""
    shared = HERE.parents[3] / "shared" / "data" / "tokenizers"
    if not shared.exists():
        shared = Path(os.environ.get("REAL_TOKENIZERS", "tokenizers"))
    if not shared.exists():
        return
    for name in ["real-llama", "real-opt"]:
        (HERE / name).mkdir(exist_ok=True)
    model = (shared / "llama" / "tokenizer.model").read_bytes()
    reference = sentencepiece.SentencePieceProcessor(model_proto=model)
    tokenizer = sentencepiece_tokenizer(LlamaTokenizer(*llama_tables(model)).backend_tokenizer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B",
                                                             special_tokens=[("<s>", 1)])
    record("real-llama", lambda s, special: tokenizer.encode(s, add_special_tokens=special).ids,
           lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip))
    check_sentencepiece(tokenizer, reference)
    vocabulary = json.loads((shared / "opt" / "vocab.json").read_text())
    lines = (shared / "opt" / "merges.txt").read_text().split("\n")[1:]
    merges = [tuple(line.split(" ")) for line in lines if line]
    record_transformers("real-opt", GPT2Tokenizer(
        vocabulary, merges, bos_token="</s>", eos_token="</s>", unk_token="</s>", pad_token="<pad>", add_bos_token=True))


def real_deepseek():
    """DeepSeek's own file, whose splitting expressions are none of GPT-2, LLaMA or Qwen."""
    shared = HERE.parents[3] / "shared" / "data" / "tokenizers"
    if not shared.exists():
        shared = Path(os.environ.get("REAL_TOKENIZERS", "tokenizers"))
    file = shared / "deepseek" / "tokenizer.json"
    if file.exists():
        (HERE / "real-deepseek").mkdir(exist_ok=True)
        tokenizer = Tokenizer.from_file(str(file))
        record("real-deepseek", lambda s, special: tokenizer.encode(s, add_special_tokens=special).ids,
               lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip))


def llama_tables(model):
    """The vocabulary of a SentencePiece model, and its merges in the order of scores.

    Transformers 5 takes them in the order of ids instead, and so gets runs of spaces wrong.
    """
    import sentencepiece.sentencepiece_model_pb2 as proto
    message = proto.ModelProto()
    message.ParseFromString(model)
    vocabulary = {piece.piece: id for id, piece in enumerate(message.pieces)}
    scores = {piece.piece: piece.score for piece in message.pieces if piece.type in (1, 4)}
    return vocabulary, generate_merges(vocabulary, scores)


def unicode_tables():
    """What the reference takes scalars for, as runs of equal classes, and checksums of what normalizers make of them."""
    def removed(pre_tokenizer, text):
        return not pre_tokenizer.pre_tokenize_str(text)

    letter = pre_tokenizers.Split(Regex(r"\p{L}"), "removed")
    number = pre_tokenizers.Split(Regex(r"\p{N}"), "removed")
    space = pre_tokenizers.Split(Regex(r"\s"), "removed")
    punctuation = pre_tokenizers.Punctuation("removed")
    word = pre_tokenizers.Whitespace()
    bert = {flag: normalizers.BertNormalizer(clean_text=flag == "clean", handle_chinese_chars=False,
                                             strip_accents=flag == "strip", lowercase=False) for flag in ["clean", "strip"]}
    strip = normalizers.StripAccents()
    scalars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    low = [c for c in scalars if c < 0x30000]
    runs = []
    for c in scalars:
        s = chr(c)
        cleaned = bert["clean"].normalize_str(s)
        tests = [removed(letter, s), removed(number, s), removed(space, s), removed(punctuation, s),
                 bert["strip"].normalize_str(s) == "", word.pre_tokenize_str("a" + s)[0][0] == "a" + s,
                 cleaned == "" and c != 0xFFFD or s in "\t\n\r", strip.normalize_str(s) == ""]
        flags = sum(1 << i for i, test in enumerate(tests) if test)
        if not runs or runs[-1][1] != flags:
            runs.append([c, flags])
    forms = {
        "NFC": normalizers.NFC(), "NFD": normalizers.NFD(), "NFKC": normalizers.NFKC(), "NFKD": normalizers.NFKD(),
        "Lowercase": normalizers.Lowercase(), "StripAccents": normalizers.StripAccents(),
        "BertNormalizer": normalizers.BertNormalizer()}
    sums = {name: [zlib.crc32(form.normalize_str("".join(
        "a" + chr(c) + "\u0323\u0301" + chr(c) for c in low[i:i + 4096])).encode())
                   for i in range(0, len(low), 4096)] for name, form in forms.items()}
    dump(HERE / "unicode.json", {"classes": runs, "sums": sums})


# ---- parts: expressions, normalizers, pre-tokenizers, models and decoders one by one

# The texts of patterns.json and parts.json.
SAMPLE = STRINGS[1:140:3] + STRINGS[140::6]

ALPHABET = {b: c for b, c in zip(
    [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100), *range(0x21), *range(0x7F, 0xA1), 0xAD],
    map(chr, [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100), *range(0x100, 0x144)]))}


def byte_model():
    """A model that shows pieces: byte b is token b, and token 256 + b where it ends a piece. The test puts it together, too."""
    vocab = {ALPHABET[b]: b for b in range(256)} | {ALPHABET[b] + "</w>": 256 + b for b in range(256)}
    return Tokenizer(models.BPE(vocab=vocab, merges=[], end_of_word_suffix="</w>"))


SPELL = pre_tokenizers.ByteLevel(False, use_regex=False)

# Expressions of published tokenizers.
KNOWN = [
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r" ?[^(\s|[.,!?…。，、।۔،])]+", "[0-9][0-9][0-9]", r"\s+$", r"[一-龥぀-ゟ゠-ヿ]+", r"\s?\p{P}+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"\d{1,3}(?=(?:\d{3})*\b)",
]
# Everything else that expressions have.
OTHER = [
    r"(?<=a)b", r"(a)\1", r"(ab)+", r"a*", r"a+?", r"a++", r"[a-z&&[^aeiou]]", r"[[:alpha:]]+", r"(?i:é)", r"a|", r"\bb", r"\Bo", r"^.", r".$", r"$",
    r"^", r"\A.", r".\Z", r"\w+", r"\W+", r"[^\w\s]+", r"\h+", r"\R", r"(?m:.)+", r".+", r"(?<=\p{Lu})(?=\p{Lu}\p{Ll})", r"(?=[A-Z])", r"(?!a)",
    r"\d{1,3}+", r"a{,2}", r"a{2}?", r"a{1,2}?b", r"a{b", r"(?>a+)b", r"(?>ab|a)b", "(?x: a b # comment\n )", r"a(?i)b|c", r"(?i)hello|the",
    r"(?i)[^a-m]+", r"[[:punct:]]+", r"[[:^alpha:]]+", r"[[:word:]]+", r"[[:graph:]]+", r"[[:blank:]]+", r"[[:upper:]][[:lower:]]*", r"\p{^L}+",
    r"\p{Latin}+|\p{Cyrillic}+|\p{Greek}+", r"\p{Emoji}", r"\p{Alnum}+", r"(?:a|ab)(?:c|bcd)?", r"t.*?e", r"(\w)\1", r"(?:(a)|b)+\1", r"(?<=['’])s",
    r"(?:\s|^)\S", r"(?:a*)*", r"(?:a*?b*)+", r"(\d+)-(\d+)", r"[a\-z]", r"\x{1F600}|\u00e9|\x41", r"(?i:σ)", r"(?i:ſ|k)", r"(?#comment)a",
    r"(?<=\n)|(?=\n)", r"\b", r"[^\S\n]+", r"\S+?(?=\s|$)", r"[\w&&[^\d]]+", r"[^a-z&&\w]", r"(?:(?=\w)\w)+", r"\p{Cn}", r"a**",
]


def patterns():
    """What expressions make of texts: the pieces of a Split, with every behaviour."""
    gpt2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    cases = [(p, "Isolated", False) for p in KNOWN + OTHER]
    for behavior in ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]:
        for p in [gpt2, r"\d+", r"a*", r"[aeiou]", r"(?<=a)|b", r"(a)\1|e"]:
            cases += [(p, behavior, False), (p, behavior, True)]
    names = {"MergedWithPrevious": "merged_with_previous", "MergedWithNext": "merged_with_next"}
    result = []
    for pattern, behavior, invert in cases:
        split = pre_tokenizers.Split(Regex(pattern), names.get(behavior, behavior.lower()), invert)
        result.append({"pattern": pattern, "behavior": behavior, "invert": invert,
                       "pieces": ["\x1f".join(p for p, _ in split.pre_tokenize_str(s)) if "\x1f" not in s else None for s in SAMPLE]})
    dump(HERE / "patterns.json", {"texts": SAMPLE, "cases": result})


def small_rules():
    """SentencePiece's compiled rules, few of them: folds, nothing, several for one, marks that are one with their letters."""
    rules = {"\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\ufb01": "fi", "\u00bd": "1/2", "e\u0301": "\u00e9", "\u0301": "", "\u0308": "",
             "\u2460": "1", "\u212b": "\u00c5", "\uff21": "A", "\uff01": "!", "A": "a", "H": "h", "\u2026": "...", "\u200b": "", "\u110b\u1161": "\uc544",
             "a\u030a": "\u00e5", "\u0000": "", "\u00e9\u0301": "E"}
    rules.pop("\u0000")
    path = Path("/tmp/rules.tsv")
    path.write_text("".join(" ".join(f"{ord(c):X}" for c in k) + "\t" + " ".join(f"{ord(c):X}" for c in v) + "\n" for k, v in rules.items()))
    return path


def sentencepiece_model(model_type, size, **options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS[:11]), model_writer=model, vocab_size=size, model_type=model_type, hard_vocab_limit=False,
        normalization_rule_tsv=str(small_rules()), minloglevel=2, **options)
    return model.getvalue()


def rules_of(model):
    import sentencepiece.sentencepiece_model_pb2 as proto
    message = proto.ModelProto()
    message.ParseFromString(model)
    return message.normalizer_spec.precompiled_charsmap


def small_unigram(seed, byte_fallback=False):
    draw = random.Random(seed)
    vocab = {"<unk>": 0.0}
    if byte_fallback:
        vocab |= {f"<0x{i:02X}>": -0.5 for i in range(256)}
    pool = "".join(STRINGS)
    for _ in range(200):
        start = draw.randrange(len(pool))
        word = pool[start:start + draw.choice([1, 1, 1, 2, 2, 3, 4, 6])].replace(" ", "\u2581")
        vocab.setdefault(word, -float(draw.choice([1, 2, 2, 3, draw.random() * 12])))
    return Tokenizer(models.Unigram(list(vocab.items()), unk_id=0, byte_fallback=byte_fallback))


def flags_tokenizer():
    """An added token under every combination of the five flags, in normalised and in other text."""
    tokenizer = byte_model()
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace("0", "1")])
    tokenizer.pre_tokenizer = SPELL
    for i in range(32):
        flags = dict(single_word=bool(i & 1), lstrip=bool(i & 2), rstrip=bool(i & 4), normalized=bool(i & 8))
        token = AddedToken("TokEn" + "abcdefghijklmnopqrstuvwxyzABCDEF"[i] + "0"[:i % 2], special=bool(i & 16), **flags)
        tokenizer.add_special_tokens([token]) if i & 16 else tokenizer.add_tokens([token])
    draw = random.Random(32)
    contents = [t.content for t in tokenizer.get_added_tokens_decoder().values()]
    parts = contents + [c.lower() for c in contents] + [c.upper() for c in contents] + [" ", "  ", "\t", "\n", "x", "-", "é", "0", "日", ""] * 8
    texts = ["".join(draw.choice(parts) for _ in range(draw.randrange(1, 9))) for _ in range(160)]
    return tokenizer, texts


def parts():
    """What single parts make of texts; a tokenizer's model is null where it is that of byte_model()."""
    result = []

    def add(name, tokenizer, texts=SAMPLE, decodes=False):
        state = json.loads(tokenizer.to_str())
        if len(state["model"]["vocab"]) == 512:
            state["model"] = None
        ids = [tokenizer.encode(s, add_special_tokens=False).ids for s in texts]
        result.append({"name": name, "tokenizer": json.dumps(state), "texts": None if texts is SAMPLE else texts, "ids": ids,
                       "decoded": [tokenizer.decode(i, skip_special_tokens=False) for i in ids] if decodes else None})

    def normalizer(name, part, texts=SAMPLE):
        tokenizer = byte_model()
        tokenizer.normalizer, tokenizer.pre_tokenizer = part, SPELL
        add(name, tokenizer, texts)

    def pre_tokenizer(name, part):
        tokenizer = byte_model()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([part, SPELL])
        add(name, tokenizer)

    normalizer("Nmt", normalizers.Nmt(), ["".join("a" + chr(c) for c in range(i, i + 64)) for start in [0, 0x1680, 0x2000, 0x2580, 0xFEC0, 0xFFC0]
                                          for i in [start, start + 64]])
    rules = rules_of(sentencepiece_model("unigram", 180))
    marks = ["".join(a + m + "\u0308"[:i % 2] for i, m in enumerate("\u0301\u0308\u030a\u200d\u0903\u0301")) for a in "aeA\u00e9\u00bd\uff21\u110b\u0915\r"]
    normalizer("Precompiled", normalizers.Precompiled(rules), SAMPLE + marks + ["\r\n\t\n", "\u110b\u1161\u110b\u1161\u11ab", "e\u0301\u0301e\u0301"])
    normalizer("Replace", normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "))
    normalizer("Replace with a reference", normalizers.Replace(Regex(r"(\w)\1"), "<>"))
    pre_tokenizer("UnicodeScripts", pre_tokenizers.UnicodeScripts())
    pre_tokenizer("CharDelimiterSplit", pre_tokenizers.CharDelimiterSplit("e"))
    pre_tokenizer("FixedLength", pre_tokenizers.FixedLength(3))
    for behavior in ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]:
        pre_tokenizer("Punctuation " + behavior, pre_tokenizers.Punctuation(behavior))
    for scheme in ["first", "always", "never"]:
        for split in [True, False]:
            tokenizer = byte_model()
            tokenizer.normalizer = normalizers.Replace(Regex("^a+"), "")
            tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split), SPELL])
            tokenizer.add_tokens(["hello", "<s>"])
            add(f"Metaspace {scheme} {split}", tokenizer)
    words = sorted({w for s in SAMPLE for w in s.split()})[::3]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(["[UNK]"] + words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    add("WordLevel", tokenizer, decodes=True)
    for seed in range(4):
        tokenizer = small_unigram(seed, byte_fallback=seed % 2 == 1)
        if seed > 1:
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
        add(f"Unigram {seed}", tokenizer, decodes=True)
    for cleanup in [True, False]:
        tokenizer = small_unigram(9)
        tokenizer.decoder = decoders.CTC(pad_token="e", word_delimiter_token="a", cleanup=cleanup)
        add(f"CTC {cleanup}", tokenizer, decodes=True)
    tokenizer = small_unigram(9)
    tokenizer.decoder = decoders.Sequence([decoders.Replace(Regex(r"(\w)\1|\u2581"), "-"), decoders.Fuse(), decoders.Replace(Regex("^-|-$"), "")])
    add("Replace of a decoder", tokenizer, decodes=True)
    add("added tokens", *flags_tokenizer())
    dump(HERE / "parts.json", {"texts": SAMPLE, "cases": result})


def folder(name, files):
    """A folder as people have it, and what AutoTokenizer makes of it."""
    (HERE / name).mkdir(exist_ok=True)
    for file, content in files.items():
        if isinstance(content, bytes):
            (HERE / name / file).write_bytes(content)
        else:
            dump(HERE / name / file, content)
    record_transformers(name, AutoTokenizer.from_pretrained(HERE / name))


def unigram_folders():
    """SentencePiece's Unigram models under the names and classes that people have them with."""
    t5 = sentencepiece_model("unigram", 200, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    folder("t5", {"spiece.model": t5, "config.json": {"model_type": "t5"}})
    plain = sentencepiece_model("unigram", 190)
    folder("xlm-roberta", {"sentencepiece.bpe.model": plain, "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer"}})
    folder("camembert", {"sentencepiece.bpe.model": plain, "tokenizer_config.json": {"tokenizer_class": "CamembertTokenizer"}})
    deberta = sentencepiece_model("unigram", 200, pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]",
                                  eos_piece="[SEP]", unk_piece="[UNK]")
    folder("deberta", {"spm.model": deberta, "tokenizer_config.json": {"tokenizer_class": "DebertaV2Tokenizer", "split_by_punct": True}})
    # a tokenizer.json with a pipeline that is not the class's
    albert = sentencepiece_model("unigram", 200, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols=["[CLS]", "[SEP]", "[MASK]"])
    import sentencepiece.sentencepiece_model_pb2 as proto
    message = proto.ModelProto()
    message.ParseFromString(albert)
    tokenizer = Tokenizer(models.Unigram([(p.piece, p.score) for p in message.pieces], unk_id=1))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Precompiled(rules_of(albert))])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder("albert", {"tokenizer.json": json.loads(tokenizer.to_str()), "tokenizer_config.json": {"tokenizer_class": "AlbertTokenizer"}})
    generic = sentencepiece_model("unigram", 440, byte_fallback=True)
    folder("unigram", {"tokenizer.model": generic, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"}})


def class_folders():
    """A tokenizer.json whose class puts another pipeline together."""
    def byte_pairs(special):
        tokenizer, trainer = byte_level(330, special)
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(False)
        tokenizer.train_from_iterator(CORPUS, trainer)
        return json.loads(tokenizer.to_str())

    def pieces(special):
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
        trainer = trainers.BpeTrainer(vocab_size=480, special_tokens=special + [f"<0x{i:02X}>" for i in range(256)], show_progress=False)
        tokenizer.train_from_iterator(CORPUS, trainer)
        state = json.loads(tokenizer.to_str())
        state["added_tokens"] = [t for t in state["added_tokens"] if not t["content"].startswith("<0x")]
        return state

    cohere = ["<PAD>", "<UNK>", "<CLS>", "<SEP>", "<MASK_TOKEN>", "<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>"]
    llama = ["<unk>", "<s>", "</s>", "\u2581<PRE>", "\u2581<MID>", "\u2581<SUF>", "\u2581<EOT>", "<FILL_ME>"]
    word_pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    word_pieces.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    word_pieces.train_from_iterator(CORPUS, trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["<s>", "<pad>", "</s>", "[UNK]", "<mask>"], show_progress=False))
    for name, cls, state in [
            ("cohere", "CohereTokenizer", byte_pairs(cohere)), ("codegen", "CodeGenTokenizer", byte_pairs(["<|endoftext|>"])),
            ("qwen3.5", "Qwen3_5Tokenizer", byte_pairs(["<|endoftext|>"])),
            ("gemma", "GemmaTokenizer", pieces(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"])),
            ("code-llama", "CodeLlamaTokenizer", pieces(llama)), ("mpnet", "MPNetTokenizer", json.loads(word_pieces.to_str()))]:
        folder(name, {"tokenizer.json": state, "tokenizer_config.json": {"tokenizer_class": cls}})


if __name__ == "__main__":
    dump(HERE / "strings.json", STRINGS)
    unicode_tables()
    real()
    real_deepseek()
    gpt2()
    llama3()
    qwen()
    metaspace()
    unknown()
    suffix()
    prefix()
    bert(wordpiece())
    opt()
    roberta()
    sentencepiece_files()
    patterns()
    parts()
    unigram_folders()
    class_folders()
