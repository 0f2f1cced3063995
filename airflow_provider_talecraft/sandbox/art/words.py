"""Reads a prompt: which subjects it names, and which hour, weather and place.

In English a word is a whole word, in Chinese the longest that is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# What is past this many characters never changes the picture: prompts are as long as their author likes.
_READ = 4000

# Name of the figure (figures.py): the words that call for it.
SUBJECTS: dict[str, str] = {
    "fox": "fox vixen 狐狸 小狐 狐",
    "wolf": "wolf 狼",
    "cat": "cat kitten kitty 猫咪 小猫 猫 貓",
    "dog": "dog puppy pup hound 小狗 狗 犬",
    "rabbit": "rabbit bunny hare 兔子 兔",
    "bear": "bear teddy cub 小熊 狗熊 熊",
    "panda": "panda 熊猫 熊貓 大熊猫",
    "mouse": "mouse mice hamster 老鼠 小鼠 仓鼠",
    "lion": "lion 狮子 獅子 狮",
    "tiger": "tiger 老虎 虎",
    "pig": "pig piglet 小猪 猪 豬",
    "deer": "deer fawn stag reindeer 小鹿 麋鹿 驯鹿 鹿",
    "squirrel": "squirrel chipmunk 松鼠",
    "elephant": "elephant 大象 小象",
    "owl": "owl owlet 猫头鹰 貓頭鷹",
    "penguin": "penguin 企鹅 企鵝",
    "bird": "bird sparrow robin birdie 小鸟 鸟 鳥 燕子 麻雀",
    "butterfly": "butterfly 蝴蝶",
    "whale": "whale 鲸鱼 鯨魚 鲸 鯨",
    "fish": "fish goldfish 金鱼 小鱼 鱼 魚",
    "turtle": "turtle tortoise 乌龟 海龟 烏龜",
    "dragon": "dragon wyvern 小龙 巨龙 恐龙 龙 龍",
    "knight": "knight 骑士 騎士",
    "princess": "princess queen 公主 女王 王后",
    "prince": "prince king 王子 国王 國王",
    "wizard": "wizard witch magician sorcerer 巫师 巫婆 女巫 魔法师",
    "girl": (
        "girl child kid daughter sister grandma grandmother mother woman 女孩 "
        "小女孩 姑娘 孩子 小孩 儿童 妹妹 姐姐 妈妈 奶奶"
    ),
    "boy": "boy son brother grandpa grandfather father man 男孩 小男孩 弟弟 哥哥 爸爸 爷爷",
    "astronaut": "astronaut cosmonaut spaceman 宇航员 航天员 太空人",
    "robot": "robot android 机器人 機器人",
    "snowman": "snowman snowmen 雪人",
    "castle": "castle palace fortress kingdom 城堡 宫殿 皇宫 王国",
    "house": "house home cottage hut cabin village 房子 小屋 屋子 木屋 家 村庄 村子 小镇",
    "windmill": "windmill 风车 風車",
    "lighthouse": "lighthouse 灯塔 燈塔",
    "boat": "boat ship sailboat sail raft 小船 帆船 轮船 船",
    "balloon": "balloon 热气球 气球 熱氣球 氣球",
    "rocket": "rocket spaceship spacecraft 火箭 飞船",
    "train": "train locomotive 火车 火車 列车",
    "lantern": "lantern lamp 灯笼 孔明灯 燈籠 提灯",
    "book": "book storybook library 书本 图书 故事书 书",
    "star": "star 星星 小星星",
    "kite": "kite 风筝 風箏",
    "umbrella": "umbrella 雨伞 伞",
    "tree": "tree oak 大树 小树 树下 树上 树 樹",
    "flower": "flower tulip daisy sunflower garden blossom 花朵 花园 花丛 鲜花 花 向日葵",
    "mushroom": "mushroom toadstool 蘑菇",
    "mountain": "mountain peak alps summit 雪山 高山 大山 山",
}

# Name of a mood: the words that set it.
MOODS: dict[str, str] = {
    "night": (
        "night nighttime midnight evening bedtime goodnight dream dark moonlight 夜晚 夜里 夜空 夜 晚上 晚安 梦 黑暗"
    ),
    "moon": "moon moonlight moonlit 月亮 月光 明月 月球 月夜",
    "star": "star starry starlight constellation 星星 星空 繁星 流星 星光",
    "dawn": "dawn sunrise morning daybreak 黎明 日出 清晨 早晨 早上 晨",
    "sunset": "sunset dusk twilight 日落 黄昏 夕阳 傍晚 晚霞",
    "autumn": "autumn harvest 秋天 秋 落叶",
    "winter": "snow winter snowy ice icy frost christmas snowman snowflake arctic penguin 雪 冬 冰 圣诞",
    "rain": "rain rainy storm raining umbrella puddle 下雨 雨天 雨 暴风雨",
    "rainbow": "rainbow 彩虹",
    "sea": "sea ocean beach island lake river pond harbor harbour shore 大海 海洋 海边 海上 海 湖 河 岛 池塘 江",
    "desert": "desert sand dune cactus camel 沙漠 沙丘 仙人掌 骆驼",
    "forest": "forest wood woodland jungle 森林 树林 丛林 林",
    "space": "space planet galaxy universe mars astronaut alien 太空 宇宙 星球 银河 行星 火星 外星 月球",
}

# Chinese words that only contain one of the above: a week is no star, an expense no flower.
_OTHERWISE = (
    "明星 星期 花费 花钱 花时间 花生 家具 专家 国家 大家 作家 画家 科学家 书包 书桌 书架 "
    "秘书 海报 上海 山东 山西 江苏 马上 大熊座 冰箱 熊熊 龙头 水龙头 恐怖 雪糕 船长"
)

_IRREGULAR = {
    "wolves": "wolf",
    "children": "child",
    "men": "man",
    "women": "woman",
    "knives": "knife",
    "leaves": "leaf",
}


@dataclass(frozen=True)
class Reading:
    """*subjects* in the order in which the prompt first names them; *moods* in no order."""

    subjects: tuple[str, ...]
    moods: frozenset[str]


def _by_word(table: dict[str, str]) -> dict[str, str]:
    return {word: name for name, words in table.items() for word in words.split()}


_SUBJECT_OF = _by_word(SUBJECTS)
_MOODS_OF: dict[str, set[str]] = {}
for _mood, _words in MOODS.items():
    for _word in _words.split():
        _MOODS_OF.setdefault(_word, set()).add(_mood)
_KNOWN = _SUBJECT_OF.keys() | _MOODS_OF.keys()
_CHINESE = sorted((word for word in {*_KNOWN, *_OTHERWISE.split()} if not word.isascii()), key=len, reverse=True)
_WORD = re.compile("[a-z]+|" + "|".join(_CHINESE))


def read(prompt: str) -> Reading:
    """The subjects and moods that *prompt* names; both may be empty."""
    subjects: dict[str, None] = {}
    moods: set[str] = set()
    for found in _WORD.findall(prompt[:_READ].lower()):
        word = _singular(found) if found.isascii() else found
        moods |= _MOODS_OF.get(word, set())
        if word in _SUBJECT_OF:
            subjects[_SUBJECT_OF[word]] = None
    return Reading(tuple(subjects), frozenset(moods))


def _singular(word: str) -> str:
    """*word* as the table has it: ``foxes`` is ``fox``, ``ponies`` is ``pony``. A word nobody knows stays as it is."""
    endings = (("", ""), ("s", ""), ("es", ""), ("ies", "y"), ("ves", "f"))
    candidates = (word[: len(word) - len(end)] + instead for end, instead in endings if word.endswith(end))
    return next((each for each in candidates if each in _KNOWN), _IRREGULAR.get(word, word))
