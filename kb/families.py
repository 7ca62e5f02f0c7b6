"""Words that tell what kind of name a word is: model families, organisations, licences.

Shape alone can't: "falcon 7b" is a name without a capital, "Companies" is none with one. A name
that isn't listed is still found by its shape.
"""

from __future__ import annotations

# Recognised in any case: no English words.
FAMILIES = frozenset(
    """
    baichuan chatglm chatgpt claude codellama codestral codex dbrx deepseek devstral ernie exaone
    flan gemini gemma glm gpt grok hunyuan internlm jamba kimi llama magistral minimax ministral
    mistral mixtral nemotron olmo pixtral qwen qwq smollm stablelm starcoder vicuna wizardlm
    """.split()
)
# Recognised with a capital only: English words as well.
CAPITAL_FAMILIES = frozenset(
    """
    alpaca aya bloom command dolly falcon granite jurassic nova opt orca palm phi pythia solar
    yi zephyr
    """.split()
)
ORGANISATIONS = frozenset(
    """
    anthropic deepmind eleutherai huggingface nvidia openai xai alibaba microsoft google
    """.split()
)
CAPITAL_ORGANISATIONS = frozenset(
    """
    ai21 allenai amazon apple aws azure baidu bytedance cohere databricks github ibm intel meta
    moonshot oracle perplexity salesforce snowflake tencent zhipu
    """.split()
)
# Often one short word, which no pattern of shape can tell from an acronym.
LICENCES = frozenset("agpl apache bsd cc gpl lgpl mit mpl openrail".split())

# Words that make another model of the same family and version.
VARIANTS = frozenset(
    """
    air audio base behemoth chat coder deep distill exp flash haiku high instant instruct large
    lite maverick max medium mini mythos nano neox omni opus oss plus preview pro scout small
    sonnet thinking tiny turbo ultra verified vision vl xl
    """.split()
)
# Of these, the ones that make a smaller or larger sibling: another model, at another price.
SIBLINGS = frozenset(
    "air flash large lite max medium mini nano plus pro small tiny turbo ultra".split()
)
# Variants that name their family by themselves.
IMPLIED = {
    **dict.fromkeys("haiku mythos opus sonnet".split(), "claude"),
    **dict.fromkeys("behemoth maverick scout".split(), "llama"),
}
# What has versions too, and is no model: benchmarks, licences, hardware, programs.
THINGS = frozenset(
    """
    act agi apache bench bsd cc chatbot community cuda gpl iso lgpl licence license mpl python rtx
    version
    """.split()
)
# Of these, the ones that figures are given for.
BENCHMARKS = frozenset("agi bench".split())
DEVICES = frozenset("cuda rtx".split())
# Capitalised at a sentence's start or by habit, and no name.
ORDINARY = frozenset(
    """
    a about above access across advantageous after against ai all allowed also although always an
    and another any anybody anyone api apis april are around as at august available because before
    behind being below best better between both bringing but by can catching centered cheaper closed
    common companies compared comparing complete complex control cost costs could customization
    daily data december dependent depends deploy deployment despite did different direct do does
    driven during each early easy eight either elo enterprises even every everybody everyone
    examples faq faster february few figures fine first five for four free from full fully gb ghz
    given gpu gpus had handled has have having healthcare high higher hosted hosting how however i
    id ids if ii iii in infrastructure input instead is iso it its iv january july june just kb key
    know kwh language large late later latest least less license limited llm llms long low lower
    mainly many march mau may mb mid mixture model modeling models moderate modern more moreover
    most much must neither never nine no nobody none nor not notable november now october of offline
    often on once one only open open-source open-weight open-weights or original other others
    otherwise our out over overall own per performance price pricing primarily private pro
    proprietary provider providers public rather read recommended requires reserved routed running
    scaling second self self-hosted self-hosting sent september setup seven several should similar
    since single six sla slas slower smaller so soc2 some somebody someone source sources speed
    split stays still subject such switching take tb teams ten term terms text than that the their
    them then there these they third this those though three through tip to today together token
    tokens tool training two type ui under unlike unlimited until up upgrades url usage use used
    users using usually variable varies various vendor vendors via vs was we weights were what when
    where whereas whether which while who whose why will with within without would yes yet you your
    zero
    """.split()
)
