"""Makes the fixtures of chat templates: what Transformers makes of conversations, and jinja2 of small templates.

Written with Python 3, transformers 5.24.0 and jinja2 3.1.6. Run it from anywhere; it writes beside itself.

    renderings.json   templates (written for this project), conversations, and for each pair of them, with options, the text
                      of apply_chat_template(tokenize=False) and the spans of {% generation %} blocks; null where it fails
    masks.json        ids and return_assistant_tokens_mask for tokenizers of ../tokenizers
    folders.json      folders with templates in several places, and the text of the default one; null where there is none
    expressions.json  small templates drawn at random, and what jinja2 makes of them; null where it fails. Templates whose
                      texts would hold addresses in memory, or marks of HTML, are left out
"""

import copy
import datetime
import json
import random
import re
import shutil
import tempfile
from pathlib import Path

import transformers.utils.chat_template_utils as utils
from transformers import AutoTokenizer

HERE = Path(__file__).parent
TOKENIZERS = HERE.parent / "tokenizers"


class Clock(datetime.datetime):
    @classmethod
    def now(cls):
        return cls(2026, 3, 5, 14, 7, 9)


utils.datetime = Clock


def write(name, value):
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in value)
    (HERE / name).write_text(f"[\n{rows}\n]\n", encoding="utf-8")


# MARK: Templates

TEMPLATES = {
    "plain": "{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}",
    "marked": "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'assistant' %}[A] {% generation %}{{ m['content'] | trim }}"
    "{{ eos_token }}{% endgeneration %}\n{% else %}[{{ m['role'][0] | upper }}] {{ m['content'] }}\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}[A] {% endif %}",
    "spaces": """
        {%- set sep = '|' -%}
        {% for m in messages %}
            {% if loop.first %}first{{ sep }}
            {% elif loop.last -%}
                last
            {%- else %}
    {%+ if true %} kept {% endif +%}
            middle
            {% endif %}
            {#- a comment -#}
            {{- m.role }}: {{ m.content }}

        {% endfor %}
        {{ '' -}}
        end
""",
    "alternating": """{%- if messages[0]['role'] == 'system' -%}
    {%- set system = messages[0]['content'] -%}
    {%- set turns = messages[1:] -%}
{%- else -%}
    {%- set system = none -%}
    {%- set turns = messages -%}
{%- endif -%}
{%- set ns = namespace(index=0, last='') -%}
{%- for turn in turns -%}
    {%- if (turn['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{- raise_exception('roles must alternate, not ' + turn.role) -}}
    {%- endif -%}
    {%- set ns.index = ns.index + 1 -%}
    {%- set ns.last = turn.role -%}
    {{- '#%d ' % ns.index if system is none else '#' ~ ns.index ~ ' ' -}}
    {{- (system ~ '\\n\\n') if system and loop.first -}}
    {{- turn.content.strip() + ('<end>' if not loop.last else '') -}}
{%- endfor -%}
{{- ' ' ~ ns.last }}
""",
    "macros": """{%- macro turn(role, content='', tag="im") -%}
<|{{ tag }}_start|>{{ role | title }}
{{ content }}{{ caller() if caller is defined else '' }}<|{{ tag }}_end|>
{% endmacro -%}
{% macro listed(items) %}{% for key, value in items | dictsort %}{{ key }}={{ value | tojson }}{{ '; ' if not loop.last }}{% endfor %}{% endmacro %}
{% for m in messages %}
{{ turn(m.role, m.content if m.content is string else m.content | tojson, tag=loop.cycle('im', 'om')) }}
{%- for call in m.tool_calls or [] %}
{% call turn('tool', tag='x') %}{{ call.function.name }}({{ listed(call.function.arguments) }}) {{ call | tojson(indent=2) }}{% endcall %}
{% endfor %}
{% endfor %}
{% if add_generation_prompt and enable_thinking is defined and enable_thinking is false %}<think></think>{% endif %}""",
    "dated": "Today is {{ strftime_now('%d %b %Y, %A %H:%M') }}.\n{% for m in messages %}{{ m.content }}\n{% endfor %}",
    "parts": """{% for m in messages %}
{% set content %}
{% if m.content is string %}{{ m.content }}{% elif m.content is iterable and m.content is not mapping %}
{{ m.content | selectattr('type', 'equalto', 'text') | map(attribute='text') | join(' + ') }}{% endif %}
{% endset %}
{{ m.role }}({{ content | trim | length }}): {{ content.split('\\n') | first }} {{ m.content is sequence }} {{ m.keys() | list }}
{% else %}
nothing
{% endfor %}""",
    "reasoning": "{% for m in messages %}{% set text = m.content | default('', true) %}{% if '</think>' in text %}"
    "{% set text = text.split('</think>')[-1].lstrip('\\n') %}{% endif %}"
    "{% if m.reasoning_content is defined and loop.index0 > messages | length - 3 %}<{{ m.reasoning_content }}|{{ m.thinking }}>{% endif %}"
    "{{ text }}|{% endfor %}",
    "searching": "{% set ns = namespace(found=-1) %}{% for m in messages[::-1] %}{% if m.role == 'assistant' %}{% continue %}{% endif %}"
    "{% if m.content is string and not (m.content.startswith('<') and m.content.endswith('>')) %}"
    "{% set ns.found = messages | length - 1 - loop.index0 %}{% break %}{% endif %}{% endfor %}{{ ns.found }}:"
    "{% for m in messages if m.role not in ['system', 'tool'] %}{{ loop.index }}/{{ loop.length }}"
    "{{ ' after ' + loop.previtem.role if not loop.first }}{{ ' before ' + loop.nextitem.role if loop.nextitem is defined }}, {% else %}none{% endfor %}",
    "joined": "{{ messages | map(attribute='content') | join(eos_token) }}{{ eos_token if not add_generation_prompt }}",
}


def turn(role, content, **more):
    return {"role": role, "content": content, **more}


CONVERSATIONS = [
    [turn("user", "Hello"), turn("assistant", "Hi there!")],
    [turn("system", "Be  kind.\n"), turn("user", " Hello \n"), turn("assistant", "  Hi! \n"), turn("user", "More?")],
    [turn("user", "a"), turn("assistant", "b"), turn("user", "c"), turn("assistant", "d")],
    [turn("user", "naïve 日本 ß 🙂"), turn("assistant", "<b>&amp;</b> {{ x }} it's \"so\"\\n")],
    [turn("user", "q"), turn("assistant", "<think>\nwhy\n</think>\n\nanswer", reasoning="because", name=None), turn("user", "<x>")],
    [turn("user", [{"type": "text", "text": "one"}, {"type": "image"}, {"type": "text", "text": "two\nlines"}]), turn("assistant", "Reply")],
    [turn("user", "w?"), turn("assistant", "", tool_calls=[{"type": "function", "function": {
        "name": "get", "arguments": {"town": "Zürich", "n": 2, "x": [1.5, None, True, {}]}}}]), turn("tool", "20 °C"), turn("assistant", "20")],
    [turn("assistant", "I begin"), turn("user", "ok")],
    [turn("user", "")],
]


def renderings(tokenizer):
    cases = []
    for name, template in TEMPLATES.items():
        for index, conversation in enumerate(CONVERSATIONS):
            for options in [{}, {"add_generation_prompt": True}, {"continue_final_message": True}, {"add_generation_prompt": True, "enable_thinking": False}]:
                case = {"template": name, "conversation": index, **options}
                try:
                    case["text"] = tokenizer.apply_chat_template(conversation, chat_template=template, tokenize=False, **options)
                except Exception as error:
                    case["text"] = None
                    case["error"] = str(error)[:80]
                if case["text"] is not None and not options.get("continue_final_message"):
                    _, spans = utils.render_jinja_template(
                        utils_messages(conversation), chat_template=template, return_assistant_tokens_mask=True,
                        **options, **tokenizer.special_tokens_map)
                    case["spans"] = spans[0]
                cases.append(case)
    return cases


def utils_messages(conversation):
    return [utils._normalize_chat_messages(conversation)]


def masks():
    cases = []
    for kind in ["gpt2", "llama3", "qwen", "metaspace", "opt", "prefix"]:
        with tempfile.TemporaryDirectory() as copied:
            shutil.copytree(TOKENIZERS / kind, copied, dirs_exist_ok=True)
            tokenizer = AutoTokenizer.from_pretrained(copied)
            for index in [0, 1, 2, 3]:
                out = tokenizer.apply_chat_template(
                    CONVERSATIONS[index], chat_template=TEMPLATES["marked"], tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
                cases.append({"tokenizer": kind, "conversation": index, "ids": out["input_ids"], "mask": out["assistant_masks"]})
    return cases


def folders():
    named = [{"name": "default", "template": "D{{ messages[0].content }}"}, {"name": "rag", "template": "R"}]
    cases = [
        {}, {"config": "C{{ messages[0].content }}{{ eos_token }}"}, {"config": named}, {"config": named[1:]},
        {"jinja": "J{{ messages[0].content }}"}, {"config": "C", "jinja": "J{{ messages[0].content }}"},
        {"config": named, "jinja": "J"}, {"jinja": "J", "extra": {"rag": "R"}}, {"extra": {"rag": "R"}}, {"config": "C", "extra": {"rag": "R"}},
        {"config": "C", "extra": {"default": "X"}},
    ]
    result = []
    for case in cases:
        with tempfile.TemporaryDirectory() as copied:
            copied = Path(copied)
            shutil.copytree(TOKENIZERS / "gpt2", copied, dirs_exist_ok=True)
            config = json.loads((copied / "tokenizer_config.json").read_text())
            if "config" in case:
                config["chat_template"] = case["config"]
            (copied / "tokenizer_config.json").write_text(json.dumps(config))
            if "jinja" in case:
                (copied / "chat_template.jinja").write_text(case["jinja"])
            for name, template in case.get("extra", {}).items():
                (copied / "additional_chat_templates").mkdir(exist_ok=True)
                (copied / "additional_chat_templates" / f"{name}.jinja").write_text(template)
            try:
                text = AutoTokenizer.from_pretrained(copied).apply_chat_template([turn("user", "x")], tokenize=False)
            except ValueError:
                text = None
            result.append({**case, "text": text})
    return result


# MARK: Templates drawn at random

RANDOM = random.Random(20260305)
VARIABLES={'i':3,'j':-2,'z':0,'f':2.5,'g':-0.75,'s':'Hello World','t':'  abc\n','u':'naïve 日本 ß','e':'','l':[3,1,2],'m':['b','A','c'],'n':[{'a':1,'r':'x'},{'a':3,'r':'y'},{'a':2,'r':'x','b':None}],
 'd':{'k':'v','b':2,'A':[1,None,True]},'y':True,'q':None,'big':1234567890123,'ex':1e22,'nest':{'x':{'y':[1,{'z':'w'}]}}, 'ee':[], 'dd':{}}
names=list(VARIABLES)+['missing']
def c(*xs):
    return RANDOM.choice(xs)
def lit():
    return c('0','1','2','-1','3','7','10','1.5','0.1','2.0','1e3','1_000','0x1f','true','false','none','True','None',"''","'a'","'Ab c'",'"x\\ny"',"'l'","'é'","' '","','","'a,b,,c'","[]","{}","()","[1, 2]","(1,)","(1, 'a')","{'k': 1}","{'a': 'b', 2: none}","[1.0, 'x', none]", "'\\u00e9\\x41\\t'", "'it\\'s'")
def name(): return c(*names)
STRING_METHODS=['upper()','lower()','strip()','lstrip()','rstrip()','title()','capitalize()',"split()","split(' ')","split('l')","split(',', 1)","rsplit('o', 1)","rsplit(none, 1)","replace('l', 'LL')","replace('o','',1)","startswith('H')","endswith('d')","startswith(('x','H'))","find('o')","rfind('o')","find('zz')","count('l')","join(['a','b'])","join(m)","strip('Hd ')","isdigit()","isalpha()","isspace()","islower()","isupper()","isalnum()","splitlines()","partition('o')","rpartition('o')","removeprefix('He')","removesuffix('ld')","zfill(14)","ljust(14)","rjust(14, '*')","center(15)","swapcase()","casefold()","index('o')","format(1, 2)","istitle2()","encodex","istrip"]
DICT_METHODS=['items()','keys()','values()',"get('k')","get('zz')","get('zz', 5)",'k','b','zz','items','copy()',"pop('k')"]
FILTERS=['upper','lower','trim','title','capitalize','length','count','string','int','float','abs','list','first','last','reverse','sort','sort(reverse=true)','unique','sum','min','max','join',"join(', ')",'tojson','tojson(indent=2)',"tojson(separators=(',', ':'))","tojson(ensure_ascii=true)","tojson(sort_keys=true)",'items','dictsort',"dictsort(by='value')","default('D')","d('D', true)","default",'safe','escape','e','indent',"indent(2, true)","indent('>', first=true)","replace('l','_')","replace('l','_',1)","round","round(1)","round(1,'floor')","round(0,'ceil')",
 "map('upper')","map('string')","map(attribute='a')","map(attribute='zz', default=0)","selectattr('a')","selectattr('r','equalto','x')","rejectattr('r','eq','x')","selectattr('b','defined')","select","select('odd')","reject('none')","select('string')","batch(2)","batch(2, 0)","slice(2)","map('int')","int(7)","int(base=16)","float(1.5)","wordcount","center(20)","sum(attribute='a')","sort(attribute='a')","sort(attribute='r')","groupby('r')","max(attribute='a')","unique(attribute='r')","join(',', attribute='a')","truncate(5)","attr('k')","nosuchfilter","list|length","list|join('-')","list|tojson","trim('H')","map('nosuch')|list","map(attribute='r')|join(',')","map('length')|list"]
TESTS=['defined','undefined','none','string','number','integer','float','boolean','mapping','sequence','iterable','true','false','odd','even','divisibleby 2','divisibleby(3)','eq 3',"equalto('x')","in [1,2,3]","in 'abc'",'lt 3','gt 2','ge(3)','ne none','lower','upper','callable','sameas none','not none','not defined','sameas true','==3','nosuchtest']
OPERATORS=['+','-','*','/','//','%','**','~']
COMPARISONS=['==','!=','<','<=','>','>=','in','not in']
def expr(d):
    if d<=0: return lit() if RANDOM.random()<.5 else name()
    k=RANDOM.random()
    if k<.16: return expr(d-1)+'|'+c(*FILTERS)
    if k<.27: return f"({expr(d-1)} {c(*OPERATORS)} {expr(d-1)})"
    if k<.31: return f"{expr(d-1)} {c(*OPERATORS)} {expr(d-1)}"
    if k<.39: return f"({expr(d-1)} {c(*COMPARISONS)} {expr(d-1)})"
    if k<.42: return f"({expr(d-1)} {c(*COMPARISONS)} {expr(d-1)} {c(*COMPARISONS)} {expr(d-1)})"
    if k<.48: return f"{expr(d-1)} is {c(*TESTS)}"
    if k<.54: return f"({expr(d-1)} {c('and','or')} {expr(d-1)})"
    if k<.57: return f"(not {expr(d-1)})"
    if k<.62: return f"({expr(d-1)} if {expr(d-1)} else {expr(d-1)})"
    if k<.63: return f"({expr(d-1)} if {expr(d-1)})"
    if k<.72: return f"{c('s','t','u','e','m[0]','n[0].r',chr(39)+'a-b c'+chr(39))}.{c(*STRING_METHODS)}"
    if k<.77: return f"{c('d','dd','nest','n[1]')}.{c(*DICT_METHODS)}"
    if k<.81: return f"{expr(d-1)}[{c(expr(d-1),'0','-1','1','5',chr(39)+'k'+chr(39))}]"
    if k<.87:
        b=lambda: c('','','1','-1','2','0','-2','10','none',expr(d-2))
        return f"{c('s','u','l','m','n','range(7)',name())}[{b()}:{b()}{c('',':'+b(), ':-1',':2')}]"
    if k<.89: return f"-{expr(d-1)}"
    if k<.92: return f"[{expr(d-1)}, {expr(d-1)}]"
    if k<.94: return f"{{'a': {expr(d-1)}, {c('1',chr(39)+'q'+chr(39),'none','true','1.0')}: {expr(d-1)}}}"
    if k<.97: return f"{c('range','dict','namespace')}({c('','5','2, 8','1, 10, 3','10, 0, -4','a=1','a=1, b=s','d',expr(d-1))})"
    return f"{expr(d-1)}.{c('k','a','x','upper','items','zz','real','append','0','1')}"
BLOCK_FILTERS=['upper','trim','indent(2)|upper','replace("a","b")']
def tag(): return c('{%','{%','{%-','{%+'), c('%}','%}','-%}')
def out():
    return c('{{','{{','{{-')+' '+expr(RANDOM.randint(0,3))+' '+c('}}','}}','-}}')
def text(): return c('',' ','\n','  \n','text','\n  ','a\nb','  x','\t','\n\n','x\n','日本')
def stmt(d):
    a,b=tag(); a2,b2=tag(); a3,b3=tag()
    k=RANDOM.random()
    if d<=0 or k<.35: return text()+out()+text()
    if k<.50: return f"{text()}{a} if {expr(2)} {b}{body(d-1)}{a2} {c('else','elif '+expr(1))} {b2}{body(d-1)}{a3} endif {b3}{text()}"
    if k<.72:
        head=c(f"for x in {expr(1)}",f"for x in {c('l','m','n','range(4)','d','s[:3]')}",f"for k, v in {c('d.items()','d|items','d|dictsort','[(1,2),(3,4)]',expr(1))}",f"for x in {c('l','range(5)')} if {c('x is odd','x > 1','loop','x')}")
        inner=body(d-1)+c('','{{ loop.index }}','{{ loop.index0 }}/{{ loop.length }}','{{ loop.first }}{{ loop.last }}','{{ loop.previtem }}|{{ loop.nextitem }}','{{ loop.revindex }}{{ loop.revindex0 }}',"{{ loop.cycle('a','b') }}",'{{ x }}','{{ x|tojson }}','{% if loop.index == 2 %}{% break %}{% endif %}','{% if x == 1 %}{% continue %}{% endif %}{{ x }}','{{ loop.changed(x) }}','{{ k }}={{ v }}','{% set x = 5 %}{{ x }}','{% set i = i + 1 %}{{ i }}','{% set ns.c = ns.c + 1 %}','{{ loop.depth }}{{ loop.zz }}')
        return f"{text()}{a} {head} {b}{inner}{c('',f'{a2} else {b2}none')}{a3} endfor {b3}{text()}"
    if k<.82: return f"{text()}{a} set {c('i','w','a, b','ns.c','(a, b)')} = {c(expr(2),'1, 2','i + 1')} {b}{text()}{{{{ w }}}}{{{{ a }}}}"
    if k<.86: return f"{a} set w {c('','|upper','|trim')} {b}{body(d-1)}{a2} endset {b2}[{{{{ w }}}}]"
    if k<.90: return f"{a} macro mm(p, q={lit()}) {b}<{{{{ p }}}}{{{{ q }}}}{c('','{{ varargs }}','{{ kwargs }}','{{ caller() }}','{{ i }}')}>{a2} endmacro {b2}{{{{ mm({c('','1','1, 2','q=s','1, q=2','1, p=2','1,2,3','zz=1','*l','**dd')}) }}}}"
    if k<.92: return f"{a} call mm2(1) {b}in{{{{ i }}}}{a2} endcall {b2}"
    if k<.94: return f"{a} filter {c(*BLOCK_FILTERS)} {b}{body(d-1)}{a2} endfilter {b2}"
    if k<.96: return f"{a} generation {b}{body(d-1)}{a2} endgeneration {b2}"
    if k<.98: return f"{a} raw {b}{text()}{{{{ x }}}}{text()}{a2} endraw {b2}"
    return f"{a} with w = {expr(1)}, i = 2 {b}{{{{ w }}}}{{{{ i }}}}{a2} endwith {b2}" if RANDOM.random()<.5 else c('{# c #}','{#- c -#}','{#+ c\n #}\n')
def body(d): return ''.join(stmt(d) for _ in range(RANDOM.randint(1,2)))

def drawn():
    if RANDOM.random() < .6:
        return out()
    text_ = "{% macro mm2(p) %}({{ caller() }}{{ p }}){% endmacro %}{% set ns = namespace(c=0) %}"
    text_ += "".join(stmt(2) for _ in range(RANDOM.randint(1, 3))) + "{{ ns.c }}" + c("", "\n", "\n\n")
    if RANDOM.random() < .03:
        place = RANDOM.randrange(len(text_) + 1)
        text_ = text_[:place] + c("}", "{%", "%}", "(", "'", " ", "-", "|") + text_[place:]
    return text_


def expressions(count):
    cases, failures = [], 0
    while len(cases) < count:
        template = drawn()
        try:
            compiled = utils._compile_jinja_template(template)
            text_, spans = utils._render_with_assistant_indices(
                compiled_template=compiled, messages=[], tools=None, documents=None, add_generation_prompt=False, **copy.deepcopy(VARIABLES))
        except Exception as error:
            known = type(error).__name__ in ("TemplateSyntaxError", "UndefinedError", "TypeError", "ValueError", "ZeroDivisionError")
            # failures are two of three, and say less
            if known and "named" not in str(error) and RANDOM.random() < .2:
                cases.append({"template": template, "text": None})
            continue
        if re.search("at 0x[0-9a-f]{6}|[0-9]{19}|markup|<built-in|<bound", text_.lower()) or len(text_) > 1500:
            continue
        cases.append({"template": template, "text": text_, "spans": [list(span) for span in spans]})
    return cases


if __name__ == "__main__":
    tokenizer = AutoTokenizer.from_pretrained(TOKENIZERS / "gpt2")
    write("renderings.json", [{"templates": TEMPLATES, "conversations": CONVERSATIONS, "variables": tokenizer.special_tokens_map}] + renderings(tokenizer))
    write("masks.json", masks())
    write("folders.json", folders())
    write("expressions.json", [{"variables": VARIABLES}] + expressions(2000))
