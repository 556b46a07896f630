"""Phrases that somebody reads aloud before the camera, so that no older recording will do."""

from __future__ import annotations

import secrets

_ENGLISH = (
    "amber apple arrow autumn basket bell blue boat bridge butter candle castle cherry cloud copper corner dance "
    "door evening feather field finger flower forest garden glass golden green hammer harbour hill honey island "
    "jacket kitchen ladder lemon letter lion market meadow mirror morning mountain ocean orange paper pepper piano "
    "pillow planet pocket purple rabbit river silver silent spring stone summer sunday table tiger tower valley "
    "velvet village violet water whistle window winter yellow"
)
_CHINESE = (
    "春天 夏天 秋天 冬天 早晨 傍晚 太阳 月亮 星星 白云 大海 高山 森林 河流 花园 草地 石头 桥梁 村庄 城市 "
    "红色 蓝色 绿色 黄色 金色 银色 苹果 橙子 柠檬 樱桃 蜂蜜 面包 茶杯 窗户 镜子 桌子 椅子 钢琴 小船 火车 "
    "雨伞 书本 铅笔 信封 灯笼 风筝 老虎 兔子 狮子 小鸟 蝴蝶 金鱼"
)
_WORDS = 4


def phrase(language: str) -> str:
    """Four words and a number of two digits, in English or Chinese: some billion possibilities."""
    chinese = language.startswith("zh")
    words = [secrets.choice((_CHINESE if chinese else _ENGLISH).split()) for _ in range(_WORDS)]
    number = 10 + secrets.randbelow(90)
    return f"{'，'.join(words)}，{number}" if chinese else f"{' '.join(words)} {number}"
