"""Makes the tokenizer fixtures: small tokenizers of every kind, and what the reference libraries do with nasty strings.

Written with Python 3, tokenizers 0.23.3, transformers 5.23.0 and sentencepiece 0.2.3. Run it from anywhere; it writes
beside itself. One folder per kind: the tokenizer's files and expected.json, whose lists run parallel to strings.json:

    ids        encoding without special tokens
    special    encoding with special tokens
    text       decoding of `special` with special tokens kept
    plain      decoding of `special` with special tokens skipped
"""

import json
import random
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

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
    special = [encode(s, True) for s in STRINGS]
    dump(HERE / name / "expected.json", {
        "ids": [encode(s, False) for s in STRINGS], "special": special,
        "text": [decode(ids, False) for ids in special], "plain": [decode(ids, True) for ids in special]})


def write(name, tokenizer, config=None):
    """Saves a tokenizers.Tokenizer and records what it does."""
    (HERE / name).mkdir(exist_ok=True)
    tokenizer.save(str(HERE / name / "tokenizer.json"), pretty=False)
    if config:
        dump(HERE / name / "tokenizer_config.json", config)
    record(name, lambda s, special: tokenizer.encode(s, add_special_tokens=special).ids,
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


if __name__ == "__main__":
    dump(HERE / "strings.json", STRINGS)
    gpt2()
