"""Characters that simulated names and addresses are drawn from."""

SURNAMES = tuple(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖"
    "石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙陶黎史贺毛郝顾龚邵万覃武钱戴严莫孔向常"
)
FEMALE_GIVEN = tuple("芳娜敏静丽艳娟霞秀兰燕玲婷雪琳慧莹梅洁倩颖佳欣怡悦蕾薇岚琴瑶璐珊彤萱菲妍蓉")
MALE_GIVEN = tuple("伟强磊军洋勇杰涛明超刚平辉鹏华飞斌波宇浩凯健俊帆帅旭宁龙林阳建毅峰博文轩昊然志诚")
# In GB18030 but not in GBK: real people bear them, and a file written as GBK would break on them.
RARE_GIVEN = tuple("𠮷㐂䶮㛃")
STREETS = (
    "人民路", "解放大道", "中山路", "建设街", "和平里", "朝阳巷",
    "滨江大道", "文化路", "长安街", "学府路", "新华街", "青年路",
)  # fmt: skip
FIRM_WORDS = ("鑫", "盛", "恒", "泰", "瑞", "达", "隆", "昌", "源", "益", "通", "宏", "裕", "祥", "丰")
FIRM_TRADES = ("商贸", "建材", "食品", "机械", "纺织", "物流", "电子", "农业", "装饰", "科技")
