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
        "Who was the first US president?",
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
        "What are flu symptoms?",
        "What are the flu's symptoms?",
    ],
    "What are the ingredients of pesto?": [
        "Which ingredients are in pesto?",
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
    "How do I change the oil in a Honda Civic?": [
        "What are the steps for changing the oil in a Honda Civic?",
        "Any idea how to change the oil in a Honda Civic?",
        "Is there a way to change the oil in a Honda Civic?",
    ],
    "What is the best time to visit Iceland?": [
        "When is the best time to visit Iceland?",
        "best time to visit iceland",
    ],
    "What is the atomic number of carbon?": [
        "Carbon's atomic number?",
        "Tell me carbon's atomic number.",
        "Can you please tell me the atomic number of carbon?",
        "Give me the atomic number of carbon.",
    ],
    "Which vitamins are in oranges?": [
        "What vitamins do oranges contain?",
        "What vitamins are there in oranges?",
        "Which vitamins are found in oranges?",
    ],
    "Who discovered penicillin?": [
        "Who is the discoverer of penicillin?",
        "Who was penicillin discovered by?",
        "Do you happen to know who discovered penicillin?",
    ],
    "Who composed Swan Lake?": [
        "Who was the composer of Swan Lake?",
        "Swan Lake was composed by whom?",
    ],
    "When did World War II end?": [
        "In what year did World War II end?",
        "In which year did World War 2 end?",
    ],
    "What does DNA stand for?": [
        "What is the full form of DNA?",
    ],
    "How many ounces are in a pound?": [
        "How many ounces are there in a pound?",
    ],
    "Is it OK to feed cats milk?": [
        "Is it okay to feed cats milk?",
        "Can I feed cats milk?",
        "Is feeding cats milk OK?",
    ],
    "Is it dangerous to mix bleach and vinegar?": [
        "Is mixing bleach and vinegar dangerous?",
        "Is it dangerous to mix vinegar and bleach?",
    ],
    "Do I have to tip in Japan?": [
        "Do I need to tip in Japan?",
        "In Japan, do I have to tip?",
        "Do you have to tip in Japan?",
        "Is it necessary to tip in Japan?",
    ],
    "What is the speed of light in km/s?": [
        "What's the speed of light in km/s?",
        "Speed of light in km/s?",
    ],
    "Explain quantum entanglement in simple terms.": [
        "Please explain quantum entanglement in simple terms.",
        "In simple terms, explain quantum entanglement.",
        "Can you describe quantum entanglement in simple terms?",
    ],
    "Write a bash script that deletes old log files.": [
        "Write a bash script to delete old log files.",
        "Create a bash script that deletes old log files.",
        "Could you write a script in bash that deletes old log files?",
    ],
    "Rewrite this politely: send me the file": [
        "Please rewrite this politely: send me the file",
        "Can you rewrite this politely: Send me the file",
    ],
    'Give me synonyms for "happy".': [
        'What are synonyms for "happy"?',
        "Give me some synonyms for 'happy'",
    ],
    "How many seconds are in 3 hours?": [
        "How many seconds are there in 3 hours?",
        "Convert 3 hours to seconds",
        "3 hours in seconds",
        "How many seconds are in three hours?",
    ],
    "What is 30 percent of 250?": [
        "30% of 250",
        "Calculate 30% of 250",
        "Find 30 percent of 250.",
    ],
    "What is 7 + 8?": [
        "Add 7 and 8",
        "What's the sum of 7 and 8?",
        "7+8=?",
        "How much is 7 plus 8?",
    ],
    "What is 9 minus 4?": [
        "9-4",
        "Subtract 4 from 9",
    ],
    "How much is 5 kg in pounds?": [
        "Convert 5 kilograms into pounds",
        "What is 5kg in lbs?",
    ],
    "How do I list files in Linux?": [
        "How do I list files on Linux?",
        "list files in linux",
    ],
    "Why do onions make you cry?": [
        "What makes onions make you cry?",
        "Why is it that onions make you cry?",
        "Why does an onion make you cry?",
    ],
    "What are the benefits of green tea?": [
        "What are the advantages of green tea?",
        "What are green tea's benefits?",
        "What benefits does green tea have?",
        "Can you list the benefits of green tea?",
        "Tell me the benefits of green tea",
    ],
    "What is the difference between a virus and a bacterium?": [
        "How does a virus differ from a bacterium?",
        "How is a virus different from a bacterium?",
        "What's the difference between a bacterium and a virus?",
        "What are the differences between viruses and bacteria?",
    ],
    "Which is faster, a cheetah or a lion?": [
        "Which is faster, a lion or a cheetah?",
        "What is faster: a cheetah or a lion?",
    ],
    "Where is the Suez Canal?": [
        "Where is the Suez Canal located?",
        "In which country is the Suez Canal?",
    ],
    "How old was Mozart when he died?": [
        "When he died, how old was Mozart?",
    ],
    "Should I use tabs or spaces?": [
        "Should I use spaces or tabs?",
    ],
    "How can I stop my dog from barking?": [
        "What can I do to stop my dog from barking?",
        "What should I do to stop my dog from barking?",
    ],
    "My printer is not working. What can I do?": [
        "My printer isn't working. What can I do?",
        "My printer isn't working, what can I do?",
    ],
    "Would you kindly tell me the height of K2?": [
        "How high is K2?",
        "Hey ChatGPT, what is the height of K2?",
        "How tall is K2?",
        "Good evening, what is the height of K2?",
        "What's the height of K2?",
        "Hello! I have a question. What is the height of K2?",
        "What is the height of K2?",
        "Sorry for asking, but what is the height of K2?",
        "I'm curious: what is the height of K2?",
        "Thanks in advance! What is the height of K2?",
        "What is the height of K2, please?",
        "What's the height of K2? I'd really appreciate your help.",
        "What is the height of K2? Thanks a lot in advance!",
        "What is the height of K2? Thanks in advance for your help.",
        "I need to know the height of K2.",
        "Could I ask what the height of K2 is?",
        "If you don't mind, what is the height of K2?",
        "For a school project: what is the height of K2?",
        "Need some help: what is the height of K2?",
        "Can you answer this: what is the height of K2?",
        "It would be great if you could tell me the height of K2.",
        "I want you to tell me the height of K2.",
        "Please can you tell me the height of K2",
        "Let me know the height of K2.",
        "What would be the height of K2?",
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
    (
        "How do I change the oil in a Honda Civic?",
        "How do I check the oil in a Honda Civic?",
    ),
    (
        "What is the best time to visit Iceland?",
        "What is the worst time to visit Iceland?",
    ),
    ("Who discovered penicillin?", "Who disproved penicillin?"),
    ("When did World War II end?", "When did World War I end?"),
    ("When did World War II end?", "When did World War II start?"),
    ("How many ounces are in a pound?", "How many pounds are in an ounce?"),
    ("Do I have to tip in Japan?", "Am I allowed to tip in Japan?"),
    ("What is 9 minus 4?", "What is 4 minus 9?"),
    ("How many seconds are in 3 hours?", "How many hours are in 3 seconds?"),
    ("Which is faster, a cheetah or a lion?", "Which is slower, a cheetah or a lion?"),
    ("How old was Mozart when he died?", "How old was Mozart when he wrote?"),
    (
        "Is it dangerous to mix bleach and vinegar?",
        "Is it safe to mix bleach and vinegar?",
    ),
    (
        "Write a bash script that deletes old log files.",
        "Write a bash script that archives old log files.",
    ),
    (
        "Write a bash script that deletes old log files.",
        "Write a python script that deletes old log files.",
    ),
    (
        "Explain quantum entanglement in simple terms.",
        "Explain quantum entanglement in technical terms.",
    ),
    ("What vitamins do oranges contain?", "What vitamins do oranges lack?"),
    ("How can I stop my dog from barking?", "How can I stop my dog from biting?"),
    ("What is the speed of light in km/s?", "What is the speed of sound in km/s?"),
    (
        "Are there any side effects of ibuprofen?",
        "Are there no side effects of ibuprofen?",
    ),
    ('Give me 3 synonyms for "happy".', 'Give me 5 synonyms for "happy".'),
    ("Should I use tabs or spaces?", "Should I not use tabs or spaces?"),
    ("What are the benefits of green tea?", "What are the risks of green tea?"),
    ("Alice gave Bob a book. Who has it?", "Bob gave Alice a book. Who has it?"),
    ("Is the cat under the table?", "Is the table under the cat?"),
    ("From Rome to Paris by train", "From Paris to Rome by train"),
    ("How do I import from CSV to SQL?", "How do I import from SQL to CSV?"),
    ("Does vitamin C help with iron?", "Does iron help with vitamin C?"),
    ("Can a wolf beat a bear?", "Can a bear beat a wolf?"),
    (
        "Is it true that men live longer than women?",
        "Is it true that women live longer than men?",
    ),
    ("What did Freud say about Jung?", "What did Jung say about Freud?"),
    ("How do teachers teach students?", "How do students teach teachers?"),
    ("Did Rome fall before Greece?", "Did Rome fall after Greece?"),
    ("Is Tom Ann's brother?", "Is Ann Tom's sister?"),
    ("Who is Tom's boss?", "Whose boss is Tom?"),
    ("Who hired Tom?", "Who was hired by Tom?"),
    ("Can I see who viewed my profile?", "Can they see I viewed their profile?"),
    ("What is the population of Oslo?", "What was the population of Oslo?"),
    ("How much does it cost to buy a house?", "How much does it cost to sell a house?"),
    ("How do I mute someone?", "How do I unmute someone?"),
    ("Are tomatoes fruits?", "Are tomatoes not fruits?"),
    ("What is the first day of summer?", "What is the last day of summer?"),
    ("Why is it cold in winter?", "Why is it not cold in winter?"),
    ("Is 3 > 2?", "Is 3 < 2?"),
    ("What is f(2) if f(x)=x+1?", "What is f(3) if f(x)=x+1?"),
    ("What is 2^3?", "What is 3^2?"),
    ("What is -5+3?", "What is 5+3?"),
    ("Convert 5 feet to meters", "Convert 5 feet to inches"),
    ("Convert 30 C to F", "Convert 30 F to C"),
    ("Is Java like JavaScript?", "Is JavaScript like Java?"),
    ('Translate "I love you" to French', 'Translate "You love me" to French'),
    ("What are the cons of solar?", "What are the pros of solar?"),
    ("Must I register?", "Should I register?"),
    ("What can I do in Rome?", "What should I do in Rome?"),
    ("Who won against Brazil?", "Who did Brazil win against?"),
    ("Which team has won the most?", "Which team has lost the most?"),
    ("Is it too late to apply?", "Is it too early to apply?"),
    ("How do I get into debt?", "How do I get out of debt?"),
    ("How do I upgrade to v2?", "How do I downgrade to v2?"),
    ("How do I get over it?", "How do I get under it?"),
    ("What's inside the box?", "What's outside the box?"),
    ("Do you like me?", "Do I like you?"),
    ("How many men are in the room?", "How many women are in the room?"),
    ("Who taught Plato?", "Who did Plato teach?"),
    ("Was Plato taught by Socrates?", "Was Socrates taught by Plato?"),
    ("Is gold more expensive than silver?", "Is gold less expensive than silver?"),
    ("What is the largest animal on land?", "What is the largest animal in the sea?"),
    (
        "What is the tallest building in Dubai?",
        "What is the second tallest building in Dubai?",
    ),
    ("When will the train leave?", "When did the train leave?"),
    ("Show a list of all users", "Show a list of all admins"),
    ("Summarize: the cat sat", "Summarize: the dog sat"),
    ("Can I bring 2 bags on board?", "Can I bring 3 bags on board?"),
    ("Is smoking allowed here?", "Is smoking banned here?"),
    ("Should dogs be fed rice?", "Should rice be fed dogs?"),
    ("Can water be turned to ice?", "Can ice be turned to water?"),
    ("How can gold be made from lead?", "How can lead be made from gold?"),
    ("Who beat whom?", "Whom beat who?"),
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
