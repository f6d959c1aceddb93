"""Wordings of one question, and questions that only look alike.

They share no template with the labelled pairs that the rules were measured on.
"""

import pytest

from gateway.cache.canonical import frame, refusal

SAME = {
    "What is the boiling point of ethanol?": [
        "What's ethanol's boiling point?",
        "boiling point of ethanol",
    ],
    "How do I install Docker on Ubuntu?": [
        "How can I install Docker on Ubuntu?",
        "What is the best way to install Docker on Ubuntu?",
        "On Ubuntu, how do I install Docker?",
        "Good morning! How do I install Docker on Ubuntu?",
        "Could you tell me how to install Docker on Ubuntu?",
        "I would like to know how to install Docker on Ubuntu.",
        "Would you mind telling me how to install Docker on Ubuntu?",
        "Hey, how do you install Docker on Ubuntu? Cheers!",
        "I was wondering how to install Docker on Ubuntu.",
        "Just curious, how do I install Docker on Ubuntu?",
        "install docker on ubuntu",
        "How to install Docker on Ubuntu",
        "how do i intsall docker on ubuntu",
    ],
    "Who painted the Mona Lisa?": [
        "Who is the painter of the Mona Lisa?",
        "The Mona Lisa was painted by whom?",
        "By whom was the Mona Lisa painted?",
    ],
    "Who directed Inception?": [
        "Who was the director of Inception?",
        "Who's the director of Inception?",
    ],
    "How many calories are in a banana?": [
        "How many calories does a banana have?",
        "How many calories are there in a banana?",
        "What is the number of calories in a banana?",
    ],
    "Can dogs eat grapes?": [
        "Can a dog eat grapes?",
        "Are dogs able to eat grapes?",
    ],
    "How far is it from Berlin to Prague?": [
        "What is the distance from Berlin to Prague?",
    ],
    "What year did the Titanic sink?": [
        "In which year did the Titanic sink?",
        "When did the Titanic sink?",
    ],
    "How old is the Eiffel Tower?": [
        "What is the age of the Eiffel Tower?",
    ],
    "How tall is Mount Everest?": [
        "What is the height of Mount Everest?",
        "What's Mount Everest's height?",
    ],
    "What is the currency of Japan?": [
        "Which currency is used in Japan?",
        "Which currency does Japan use?",
    ],
    "What language do they speak in Brazil?": [
        "Which language is spoken in Brazil?",
    ],
    "Explain how a transistor works.": [
        "How does a transistor work?",
        "Can you explain how a transistor works?",
        "Please explain how transistors work",
    ],
    "Compare Kafka and RabbitMQ.": [
        "Compare RabbitMQ and Kafka.",
    ],
    "What are the pros and cons of remote work?": [
        "What are the advantages and disadvantages of remote work?",
        "List the pros and cons of remote work.",
        "Give me the pros and cons of remote work.",
    ],
    "Is it possible to run Linux on a Chromebook?": [
        "Can I run Linux on a Chromebook?",
        "Can Linux be run on a Chromebook?",
    ],
    "Is it OK to drink coffee at night?": [
        "Is drinking coffee at night OK?",
    ],
    "Is it bad to skip breakfast?": [
        "Is skipping breakfast bad?",
    ],
    "How long does it take to learn Spanish?": [
        "How much time does it take to learn Spanish?",
        "What is the time needed to learn Spanish?",
    ],
    "What's the square root of 144?": [
        "Calculate the square root of 144.",
    ],
    "What is 15 times 4?": [
        "15 * 4",
        "Multiply 15 by 4",
        "What's 4 x 15?",
    ],
    "What is 100 divided by 4?": [
        "100/4",
    ],
    "Convert 10 pounds to kilograms.": [
        "How many kilograms are in 10 pounds?",
        "Convert 10 lbs to kg",
        "What is 10 lb in kg?",
    ],
    "Convert $50 to euros.": [
        "Convert 50 dollars to euros.",
        "Convert 50 USD to EUR.",
    ],
    "How do I center a div in CSS?": [
        "In CSS, how do I center a div?",
        "How do I centre a div in CSS?",
    ],
    "Write a SQL query that selects all users.": [
        "Write a SQL query to select all users.",
        "Can you write me a SQL query that selects all users?",
    ],
    "Fix this code:\n```js\nlet x == 1\n```": [
        "Please fix this code:\n```js\nlet x == 1\n```",
    ],
    "What does this code do?\n```py\nprint(1)\n```": [
        "Explain what this code does.\n```py\nprint(1)\n```",
        "what does this code do\n```py\nprint(1)\n```",
    ],
    "What causes earthquakes?": [
        "What is the cause of earthquakes?",
        "Why do earthquakes happen?",
    ],
    "Why is the sky blue?": [
        "What makes the sky blue?",
        "What is the reason the sky is blue?",
        "How come the sky is blue?",
        "Can you tell me why the sky is blue?",
        "Do you know why the sky is blue?",
    ],
    "What does HTTP 404 mean?": [
        "What is the meaning of HTTP 404?",
    ],
    "What is machine learning?": [
        "Define machine learning.",
        "What's meant by machine learning?",
        "What's the definition of machine learning?",
    ],
    "What is AI?": [
        "What is artificial intelligence?",
    ],
    "How do I cancel my subscription?": [
        "How can I cancel my subscription?",
        "cancel subscription",
        "I want to cancel my subscription. How?",
        "I need help cancelling my subscription",
        "Help me cancel my subscription",
        "Can you help me cancel my subscription?",
    ],
    "What time does the museum open?": [
        "When does the museum open?",
    ],
    "Which planet is the biggest?": [
        "What is the largest planet?",
    ],
    "What's the longest river in the world?": [
        "Which river is the longest in the world?",
        "What is the world's longest river?",
    ],
    "Who was the first president of the US?": [
        "Who was the first president of the United States?",
    ],
    "When was the Berlin Wall built?": [
        "In what year was the Berlin Wall built?",
    ],
    "Summarize the plot of Hamlet.": [
        "Summarise the plot of Hamlet.",
        "Give me a summary of the plot of Hamlet.",
    ],
    "What should I do if my laptop gets wet?": [
        "What do I do if my laptop gets wet?",
    ],
    "What happens when you mix bleach and ammonia?": [
        "What happens if you mix bleach and ammonia?",
        "What happens when you mix ammonia and bleach?",
    ],
    "How much does a passport cost?": [
        "What is the cost of a passport?",
        "What does a passport cost?",
    ],
    "How much water should I drink per day?": [
        "How much water should I drink a day?",
        "How much water do I need to drink per day?",
    ],
    "Is Python faster than Ruby?": [
        "Compared to Ruby, is Python faster?",
    ],
    "What is the capital of Peru?": [
        "I'd like to know the capital of Peru.",
        "Name the capital of Peru.",
        "Tell me the capital of Peru, please.",
        "Can you give me the capital of Peru?",
        "Peru's capital?",
        "What is the capital city of Peru?",
        "what is teh capital of peru",
        "WHAT IS THE CAPITAL OF PERU",
        "What is the capital of Peru ?",
        "So what's the capital of Peru?",
        "Okay, what is the capital of Peru?",
        "Hi, could you please tell me what the capital of Peru is? Thank you so much!",
        "I have a question: what is the capital of Peru?",
        "Please let me know what the capital of Peru is.",
        "Does anyone know what the capital of Peru is?",
    ],
    "How many days are in 3 weeks?": [
        "3 weeks in days",
    ],
    "What is 20% of 150?": [
        "How much is 20 percent of 150?",
    ],
    "What is two plus two?": [
        "2+2",
    ],
    "On 5 May 2020, what happened?": [
        "What happened on May 5, 2020?",
    ],
    "What is the 3rd planet from the sun?": [
        "What is the third planet from the sun?",
    ],
    "What color is a ruby?": [
        "What colour is a ruby?",
    ],
    "What are the symptoms of the flu?": [
        "What are the flu's symptoms?",
    ],
    "How do airplanes fly?": [
        "How does an airplane fly?",
    ],
    "Should I learn Rust or Go?": [
        "Should I learn Go or Rust?",
    ],
    "Who owns Instagram?": [
        "Who is the owner of Instagram?",
    ],
    "Who invented the radio?": [
        "Who was the inventor of the radio?",
    ],
    "Where is the Louvre?": [
        "Where is the Louvre located?",
        "What is the location of the Louvre?",
    ],
    "Give me five tips for better sleep.": [
        "Give me 5 tips for better sleep.",
    ],
    "Draft an email to my boss about a raise.": [
        "Write an email to my boss about a raise.",
    ],
    'Translate "good night" to Polish.': [
        'How do you say "good night" in Polish?',
        'How do I say "good night" in Polish?',
        "Translate 'good night' into Polish",
    ],
    "Does a microwave use a lot of electricity?": [
        "Do microwaves use a lot of electricity?",
    ],
    "Can I take ibuprofen with alcohol?": [
        "Can ibuprofen be taken with alcohol?",
        "Is it possible to take ibuprofen with alcohol?",
    ],
    "Is the Great Wall visible from space?": [
        "From space, is the Great Wall visible?",
    ],
    "For a party of 10, how much pizza do I need?": [
        "How much pizza do I need for a party of 10?",
    ],
    "How does one tie a tie?": [
        "How do you tie a tie?",
    ],
    "What is it like to live in Tokyo?": [
        "How does it feel to live in Tokyo?",
    ],
    "My phone won't turn on. What should I do?": [
        "My phone will not turn on. What should I do?",
    ],
}
DIFFERENT = [
    ("Can I take ibuprofen with alcohol?", "Can I take ibuprofen without alcohol?"),
    ("How do I install Docker on Ubuntu?", "How do I uninstall Docker on Ubuntu?"),
    ("How do I install Docker on Ubuntu?", "How do I install Docker on Debian?"),
    ("What is the boiling point of ethanol?", "What is the freezing point of ethanol?"),
    ("Who painted the Mona Lisa?", "Who bought the Mona Lisa?"),
    ("Can dogs eat grapes?", "Can grapes eat dogs?"),
    ("Can dogs eat grapes?", "Should dogs eat grapes?"),
    ("Is Python faster than Ruby?", "Is Ruby faster than Python?"),
    ("Compared to Ruby, is Python faster?", "Is Ruby faster than Python?"),
    ("What causes earthquakes?", "What do earthquakes cause?"),
    ("What is 100 divided by 4?", "What is 4 divided by 100?"),
    ("What is 2 to the power of 3?", "What is 3 to the power of 2?"),
    ("Convert 10 pounds to kilograms.", "Convert 10 kilograms to pounds."),
    ("Convert 10 pounds to kilograms.", "Convert 10 pounds to grams."),
    ("Does Alice manage Bob?", "Is Alice managed by Bob?"),
    ("Did the cat chase the dog?", "Did the dog chase the cat?"),
    (
        "Who was the first president of the US?",
        "Who was the second president of the US?",
    ),
    ("How do I convert a list to a tuple?", "How do I convert a tuple to a list?"),
    ("Why is the sky blue?", "Why is the sky not blue?"),
    ("Is it bad to skip breakfast?", "Is it good to skip breakfast?"),
    ("Write a letter from Bob to Alice", "Write a letter from Alice to Bob"),
    ("What are the pros of remote work?", "What are the cons of remote work?"),
    ("When was the Berlin Wall built?", "When was the Berlin Wall torn down?"),
    ("Was Napoleon tall?", "Is Napoleon tall?"),
    ("How many people live in Oslo?", "How many people lived in Oslo?"),
    ("What is the largest planet?", "What is the second largest planet?"),
    ('Translate "good night" to Polish.', 'Translate "good night" from Polish.'),
    ("Explain gravity in 2 sentences.", "Explain gravity in 3 sentences."),
    ("Explain gravity.", "Explain gravity briefly."),
    ("Explain gravity to a child.", "Explain gravity to an adult."),
    ("Who does Bob love?", "Who loves Bob?"),
    ("What do cats eat?", "What eats cats?"),
    ("Is it legal to sell wine?", "Is it illegal to sell wine?"),
    ("Can I vote at 17?", "Can I vote at 18?"),
    ("May I enter?", "Must I enter?"),
    ("Could he win?", "Did he win?"),
    ("Will he win?", "Would he win?"),
    ("How do I open a port in Linux?", "How do I close a port in Linux?"),
    ("Is tea better than coffee?", "Is coffee better than tea?"),
    ("What is the currency of Japan?", "What is the currency of China?"),
    ("What happens if I eat before I run?", "What happens if I run before I eat?"),
    ("How do I get from Rome to Milan?", "How do I get from Milan to Rome?"),
    ("Is A a subset of B?", "Is B a subset of A?"),
    ("What's my mother's name?", "What's your mother's name?"),
    ("Are all birds able to fly?", "Are some birds able to fly?"),
    ("Are all birds able to fly?", "Are birds able to fly?"),
    ("How do I read a file?", "How do I write a file?"),
    ("What is the minimum wage?", "What is the maximum wage?"),
    ("Is 5 larger than 3?", "Is 5 smaller than 3?"),
    ("Did only Bob see Alice?", "Did Bob see only Alice?"),
    ("How long did the war last?", "How long does the war last?"),
    ("Can you lend me money?", "Can I lend you money?"),
    ("Can I eat your cake?", "Can you eat my cake?"),
    ("Do I owe you money?", "Do you owe me money?"),
    ("Is he taller than her?", "Is she taller than him?"),
    (
        "Which country borders both Spain and France?",
        "Which country borders Spain or France?",
    ),
    ("What is the effect of heat on ice?", "What is the effect of ice on heat?"),
    ("Is the man in the car with the dog?", "Is the dog in the car with the man?"),
    ("How do I sort ascending?", "How do I sort descending?"),
    ("Should I buy or rent?", "Should I buy and rent?"),
    ("What is a good salary in Rome?", "What is the best salary in Rome?"),
    ("What is a fast car?", "What is the fastest car?"),
    ("Who is a good doctor?", "Who is a bad doctor?"),
    ("How can I gain weight?", "How can I lose weight?"),
    ("How do I turn on the heater?", "How do I turn off the heater?"),
    ("When should I take it, before meals?", "When should I take it, after meals?"),
    ("Is Paris in France?", "Is France in Paris?"),
    ("Can Linux be run on Windows?", "Can Windows be run on Linux?"),
    ("How do I train a dog?", "How do I train for a dog?"),
    ("Is this the end?", "Is that the end?"),
    ("What is the work of Bob?", "What are the works of Bob?"),
    ("Who shot first?", "Who was shot first?"),
    ("Do I have to go?", "Do I get to go?"),
    ("Is the water in the glass?", "Is the glass in the water?"),
    ("How do I stop smoking?", "How do I start smoking?"),
    ("How do I avoid traffic?", "How do I get traffic?"),
    ("How many times a day should I eat?", "How many times a week should I eat?"),
]


@pytest.mark.parametrize(
    ("question", "wording"),
    [(question, wording) for question in SAME for wording in SAME[question]],
)
def test_wordings_of_one_question_have_one_frame(question, wording):
    assert frame(question) is not None, refusal(question)
    assert frame(question) == frame(wording)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_questions_that_look_alike_have_two_frames(one, other):
    assert frame(one) is None or frame(one) != frame(other)


def test_none_of_the_questions_is_another_one():
    assert len({frame(question) for question in SAME}) == len(SAME)
