"""Other languages are matched by their exact text only."""

from random import Random

import pytest

from gateway.cache import AnswerCache, Entry
from gateway.cache.canonical import frame, refusal
from routing.catalog import Catalog, Policy
from routing.chat import ChatRequest, Usage

QUESTIONS = [
    "Wie heißt die Hauptstadt von Peru?",
    "Schuldet Anna Ben 15 Euro?",
    "Kann ich Reis einfrieren?",
    "Was kostet ein Reisepass?",
    "Warum ist der Himmel blau?",
    "Nenne mir drei Tipps gegen Stress",
    "Ist Kaffee gesund",
    "Hauptstadt von Peru",
    "Passwort vergessen",
    "Wann wurde Rom gegründet",
    "Dois-je prendre 15 mg?",
    "Quelle est la capitale du Pérou?",
    "Pourquoi le ciel est bleu",
    "Capitale de la France",
    "Combien coûte un passeport?",
    "Explique la photosynthèse",
    "Peut-on congeler du riz?",
    "Qui a écrit Candide?",
    "¿Debo tomar aspirina?",
    "¿Cuál es la capital de Perú?",
    "Capital de Francia",
    "¿Por qué el cielo es azul?",
    "Explica la fotosíntesis en dos frases",
    "Quién escribió Don Quijote",
    "¿Se puede congelar arroz?",
    "Qual é a capital do Peru?",
    "Por que o céu é azul?",
    "Posso congelar arroz?",
    "Quem escreveu Dom Casmurro?",
    "Capital do Brasil",
    "Explique a fotossíntese",
    "Qual è la capitale del Perù?",
    "Perché il cielo è blu?",
    "Posso congelare il riso?",
    "Chi ha scritto la Divina Commedia?",
    "Capitale della Francia",
    "Spiega la fotosintesi",
    "Wat is de hoofdstad van Peru?",
    "Waarom is de lucht blauw?",
    "Kan ik rijst invriezen?",
    "Wie schreef Max Havelaar?",
    "Hoofdstad van Frankrijk",
    "Is koffie gezond?",
    "Hoe lang duurt een vlucht naar Rome",
    "Vad är huvudstaden i Peru?",
    "Kan man frysa ris?",
    "Hvad er hovedstaden i Peru?",
    "Hva er hovedstaden i Norge?",
    "Jaka jest stolica Peru?",
    "Dlaczego niebo jest niebieskie?",
    "Czy mogę zamrozić ryż?",
    "Jaké je hlavní město Peru?",
    "Peru'nun başkenti neresi?",
    "Care este capitala Peru?",
    "Mi Peru fővárosa?",
    "Mikä on Perun pääkaupunki?",
    "Apa ibu kota Peru?",
    "Thủ đô của Peru là gì?",
    "Peru ki rajdhani kya hai?",
    "Bharat ki rajdhani kya hai",
    "Какая столица Перу?",
    "秘鲁的首都是什么?",
    "ペルーの首都はどこですか",
    "페루의 수도는 어디인가요?",
    "ما هي عاصمة بيرو؟",
    "מהי בירת פרו?",
    "Ποια είναι η πρωτεύουσα του Περού;",
    "do que é feito o vidro",
    "come si fa la pasta",
    "was man in Rom essen kann",
    "in was für einem Land liegt Rom",
    "no me funciona internet",
    "me puedes decir la hora",
    "is het waar dat koffie gezond is",
    "die besten Restaurants in Berlin",
    "un restaurant a Paris",
    "a casa de papel",
    "el internet no funciona",
    "tell mir die Hauptstadt",
    "Can du mir helfen?",
]
TRAPS = [
    ("Schuldet Anna Ben 15 Euro?", "Schuldet Ben Anna 15 Euro?"),
    ("Darf ich Reis einfrieren?", "Darf ich Reis nicht einfrieren?"),
    ("Dois-je prendre 15 mg?", "Dois-je prendre 95 mg?"),
    ("Peut-on congeler du riz?", "Ne peut-on pas congeler du riz?"),
    ("¿Debo tomar aspirina?", "¿No debo tomar aspirina?"),
    ("¿Cuánto hay de Roma a París?", "¿Cuánto hay de París a Roma?"),
    ("Posso tomar com leite?", "Posso tomar sem leite?"),
    ("Qual é o maior lago?", "Qual é o menor lago?"),
    ("Prima di cena posso correre?", "Dopo cena posso correre?"),
    ("Quanto fa due più tre?", "Quanto fa due meno tre?"),
    ("Mag ik rijst invriezen?", "Moet ik rijst invriezen?"),
    ("Is Anna groter dan Ben?", "Is Ben groter dan Anna?"),
    ("Алиса должна Бобу?", "Боб должен Алисе?"),
    ("我应该吃阿司匹林吗", "我不应该吃阿司匹林吗"),
    ("パリからローマまで", "ローマからパリまで"),
]


# The traps of the English list, one by one: another thing, another number, a negation,
# swapped roles, swapped places, before and after, may and must.
TRAP_LIST = {
    "German": [
        ("Was ist die Hauptstadt von Peru?", "Was ist die Hauptstadt von Chile?"),
        ("Wie viel sind 15 Dollar in Euro?", "Wie viel sind 95 Dollar in Euro?"),
        ("Ist Aspirin sicher?", "Ist Aspirin nicht sicher?"),
        ("Schuldet Anna Ben Geld?", "Schuldet Ben Anna Geld?"),
        ("Wie weit ist es von Rom nach Paris?", "Wie weit ist es von Paris nach Rom?"),
        ("Soll ich es vor dem Essen nehmen?", "Soll ich es nach dem Essen nehmen?"),
        ("Darf ich Reis essen?", "Muss ich Reis essen?"),
    ],
    "French": [
        ("Quelle est la capitale du Pérou?", "Quelle est la capitale du Chili?"),
        ("Combien font 15 dollars en euros?", "Combien font 95 dollars en euros?"),
        ("L'aspirine est-elle sûre?", "L'aspirine n'est-elle pas sûre?"),
        ("Alice doit-elle de l'argent à Bob?", "Bob doit-il de l'argent à Alice?"),
        ("Quelle distance de Paris à Rome?", "Quelle distance de Rome à Paris?"),
        ("Dois-je le prendre avant le repas?", "Dois-je le prendre après le repas?"),
        ("Puis-je manger du riz?", "Dois-je manger du riz?"),
    ],
    "Spanish": [
        ("¿Cuál es la capital de Perú?", "¿Cuál es la capital de Chile?"),
        ("¿Cuánto son 15 dólares en euros?", "¿Cuánto son 95 dólares en euros?"),
        ("¿Es segura la aspirina?", "¿No es segura la aspirina?"),
        ("¿Le debe Ana dinero a Luis?", "¿Le debe Luis dinero a Ana?"),
        ("¿Cuánto hay de Roma a París?", "¿Cuánto hay de París a Roma?"),
        ("¿Lo tomo antes de cenar?", "¿Lo tomo después de cenar?"),
        ("¿Puedo comer arroz?", "¿Debo comer arroz?"),
    ],
    "Russian": [
        ("Какая столица Перу?", "Какая столица Чили?"),
        ("Сколько будет 15 долларов в евро?", "Сколько будет 95 долларов в евро?"),
        ("Аспирин безопасен?", "Аспирин не безопасен?"),
        ("Анна должна Борису деньги?", "Борис должен Анне деньги?"),
        ("Сколько ехать из Рима в Париж?", "Сколько ехать из Парижа в Рим?"),
        ("Принимать его до еды?", "Принимать его после еды?"),
        ("Можно есть рис?", "Нужно есть рис?"),
    ],
    "Chinese": [
        ("秘鲁的首都是什么?", "智利的首都是什么?"),
        ("15美元是多少欧元?", "95美元是多少欧元?"),
        ("阿司匹林安全吗?", "阿司匹林不安全吗?"),
        ("小明欠小红钱吗?", "小红欠小明钱吗?"),
        ("从罗马到巴黎有多远?", "从巴黎到罗马有多远?"),
        ("饭前吃吗?", "饭后吃吗?"),
        ("我可以吃米饭吗?", "我必须吃米饭吗?"),
    ],
    "Arabic": [
        ("ما هي عاصمة بيرو؟", "ما هي عاصمة تشيلي؟"),
        ("كم يساوي 15 دولارا باليورو؟", "كم يساوي 95 دولارا باليورو؟"),
        ("هل الأسبرين آمن؟", "هل الأسبرين غير آمن؟"),
        ("هل يدين علي لعمر بالمال؟", "هل يدين عمر لعلي بالمال؟"),
        ("كم المسافة من روما إلى باريس؟", "كم المسافة من باريس إلى روما؟"),
        ("هل آخذه قبل العشاء؟", "هل آخذه بعد العشاء؟"),
        ("هل يمكنني أكل الأرز؟", "هل يجب أن آكل الأرز؟"),
    ],
}
TOLD_APART = [(a, b) for pairs in TRAP_LIST.values() for a, b in pairs]


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_in_another_language_has_no_frame(text):
    assert frame(text) is None
    assert refusal(text) == "not in English as far as we can tell"


@pytest.mark.parametrize(("one", "other"), TRAPS)
def test_traps_in_other_languages_are_never_one_question(one, other):
    assert frame(one) is None or frame(one) != frame(other)


@pytest.mark.parametrize("matching", ["canonical", "jaccard"])
@pytest.mark.parametrize(("one", "other"), TOLD_APART)
def test_the_trap_list_is_matched_by_its_exact_text_in_six_languages(
    one, other, matching
):
    policy = Policy(cache_matching=matching)
    cache, catalog = AnswerCache(policy, Random(1)), Catalog(policy=policy)

    def find(text):
        body = {"messages": [{"role": "user", "content": text}]}
        return cache.find(ChatRequest(body, "scope", "r"), catalog, b"", 0.0)

    entry = Entry(b"{}", Usage(), "b", "m", 1, 5, 70, "req-1")
    cache.store(find(one)[0], entry, 0.0)
    keys, hit = find(other)
    assert (hit, keys.canonical, keys.words) == (None, None, None)
    assert keys.reason == "not in English as far as we can tell"
    assert find(one)[1].level == "exact"
