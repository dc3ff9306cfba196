"""The words of a prompt for a whole scene, in lower case, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping

Meaning = tuple[tuple[str, float], ...]  # effects and how strong each


def _table(rows: Mapping[str, str], amount: float = 1.0) -> dict[str, Meaning]:
    """rows: the effect's name, and the words for it apart by "|"."""
    return {word.strip(): ((name, amount),) for name, words in rows.items() for word in words.split("|")}


_PLAIN = _table({
    "sunset": "sunset|sunsets|sundown|golden hour|evening sun|setting sun|golden light|low sun|late afternoon",
    "dawn": "dawn|sunrise|daybreak|early morning|morning light|morning|first light|crack of dawn|break of day",
    "dusk": "dusk|twilight|blue hour|evening|nightfall|gloaming",
    "night": "night|nite|nighttime|night-time|night time|moonlit|moonlight|midnight|nocturnal|at night|by night|moonshine|"
             "starlight|nightly|full moon|moonlight scene|lights off|lights out|turn off the lights|turn the lights off|switch off the "
             "lights|switch the lights off|turn the light off|turn off the light|without light|no light|night sky",
    "overcast": "overcast|cloudy|clouded|grey sky|gray sky|dull light|clouds|gloomy|dreary",
    "sunny": "sunny|sunshine|sunlit|sunlight|sun|bright sun|daylight|noon|midday|high noon|daytime|broad daylight|day scene|nice day|"
             "beautiful day|lovely day|bright day|tropical|full sun|sunny day",
    "warm": "warm|warmer|warmth|warmly|cosy|cozy|hot|hotter|warm light|warmer light|heat|scorching|candlelight|candlelit",
    "cold": "cold|colder|cool|cooler|chilly|icy light|cold light|cooler light|chill|freezing|freezing cold",
    "bright": "bright|brighter|brighten|lighter|lighten|brightness|well lit|well-lit|overexposed|brightly|luminous|let there be "
              "light|lights on|turn on the lights|turn the lights on|switch on the lights|switch the lights on|turn on the light|"
              "turn the light on|lit up",
    "dark": "dark|darker|darken|dim|dimmer|dimmed|darkness|underexposed|shadowy|darkened",
    "vivid": "vivid|vibrant|saturated|colourful|colorful|saturation|saturate|richer colours|richer colors|punchy|"
             "more colour|more color|more colours|more colors|vibrance|lush colours|lush colors|stronger colours|"
             "stronger colors|intense colours|intense colors|colourfulness|colorfulness|rich colours|rich colors|make it pop|colours pop|colors pop|more colourful|more colorful|"
             "vivid colours|vivid colors|bright colours|bright colors|saturated colours|saturated colors",
    "faded": "faded|muted|desaturated|desaturate|fade|washed out|washed-out|pale|paler|pastel|pastels|bleached|dull|"
             "less colour|less color|weaker colours|weaker colors|subdued|polaroid|"
             "muted colours|muted colors|faded colours|faded colors|pastel colours|pastel colors|paled",
    "contrast": "contrast|contrasts|contrasty|high contrast|high-contrast|dramatic|crisp|crisper|punch|dramatic light",
    "flat": "flat|flatter|low contrast|low-contrast|matte|matt|soft light|softer light|softer|soft|soften|softened",
    "spring": "spring|springtime|spring-time|in bloom|blossoming|blooming|blossom|blossoms|cherry blossom|"
              "cherry blossoms|vernal|cherry blossom season|petals|spring blossoms|spring flowers",
    "summer": "summer|summertime|summery|midsummer|lush|green season|verdant",
    "autumn": "autumn|autumnal|fall|fall season|autumn leaves|fall leaves|autumn colours|autumn colors|fall colours|"
              "fall colors|indian summer|october|november|fallen leaves|autumny|"
              "falling leaves|late autumn|early autumn|autumn foliage|fall foliage|foliage in autumn|september",
    "winter": "bare winter",
    "fog": "fog|foggy|mist|misty|haze|hazy|smog|smoggy|fogged|steamy|smoke|smoky|cloud of fog|misted|murky",
    "clear": "clear air|dehaze|dehazed|defog|defogged|clear|clearer|clear sky|unfog|clear weather",
    "snow": "snow|snowy|snowed|snowing|snowfall|snows|snow-covered|snow covered|covered in snow|covered with snow|"
            "snowed in|under snow|frosty|frosted|hoarfrost|frost|snowcapped|snow-capped|powder snow|"
            "fresh snow|snow cover|snow-clad|snow clad",
    "rain": "rain|pouring rain|pouring|pouring down|rainy|raining|rains|rained|wet|rain-soaked|rainfall|drenched|soaked|damp|drizzle|drizzly|shower|"
            "after rain|wet ground|puddles|downpour|rainstorm|soaking wet|rainstorm|after the rain|rain soaked|rain-wet|"
            "rain drenched|rain-drenched|rainy weather|rainy day",
    "dust": "dust|dusty|sandstorm|dust storm|dusted|desert storm|ash|ashes|ashen|grimy|sandy air|dirty|dirt|filthy",
    "underwater": "underwater|under water|under the sea|undersea|deep sea|submerged|sunken|under the ocean",
    "sepia": "sepia|sepia tone|sepia-toned|sepia toned|old photo|old photograph|antique photo|daguerreotype|"
             "victorian photo|old film|old photos|old picture",
    "mono": "black and white|black-and-white|black & white|black white|b&w|b/w|bw|monochrome|monochromatic|greyscale|"
            "grayscale|grey scale|gray scale|colourless|colorless|black and white photo|decolour|decolor|"
            "decolourise|decolorize|shades of grey|shades of gray",
    "negative": "negative|inverted|invert|inverted colours|inverted colors|invert the colours|invert the colors|"
                "photo negative|x-ray|xray|film negative|inverse|reversed colours|reversed colors",
    "poster": "poster|posterise|posterize|posterised|posterized|pop art|pop-art|screen print|screenprint|silkscreen|"
              "warhol|andy warhol|few colours|few colors|silk screen",
    "oil": "oil|oil painting|oil paint|oil-painting|oil on canvas|oil painted|oils|painting|painterly|acrylic|"
           "van gogh|vincent van gogh|impressionist|impressionism|impressionistic|expressionist|monet|claude monet|"
           "rembrandt|cezanne|renoir|starry night|impasto|canvas|brush strokes|brushstrokes|brush-strokes|gouache|"
           "acrylic painting|impressionist painting|gogh|renaissance painting|baroque painting|brushwork|"
           "post-impressionist|fresco|manet|oil sketch",
    "watercolour": "watercolour|watercolor|water colour|water color|watercolours|watercolors|aquarelle|aquarell|"
                   "watercolour painting|watercolor painting|water-colour|water-color|ink wash|turner|wash painting|"
                   "william turner|watercoloured|watercolored",
    "pencil": "pencil|pencil sketch|pencil drawing|sketch|sketched|drawing|graphite|charcoal drawing|"
              "charcoal sketch|line drawing|crayon drawing|hatching|hatched|etching|engraving|pen and ink|ink drawing|"
              "line art|pencil-drawn|hand-drawn|hand drawn|sketchy|pencils|pen drawing|lithograph|woodcut|"
              "coloured pencil|colored pencil|coloured pencil drawing|colored pencil drawing|charcoal sketch|pencil sketched",
    "cartoon": "cartoon|cartoonish|comic|comics|comic book|comic-book|cel-shaded|cel shaded|cel shading|toon|anime|manga|"
               "animated film|graphic novel|cartoony|toon shading|ghibli|studio ghibli|animated|animation|"
               "pixar|disney|cartoon style|comic strip|comic-strip",
    "pointillism": "pointillism|pointillist|pointillistic|dots of paint|seurat|georges seurat|signac|"
                   "painted dots|pointillist painting|divisionism",
    "mosaic": "mosaic|mosaics|roman mosaic|tiles|tiled|stained glass|stained glass window|stained-glass window|stained-glass|tessellated|tesserae|mosaic tiles|ceramic tiles|"
              "voronoi",
    "gold": "gold|golden|gild|gild it|gold-plate|gold plate|gilded|gilt|solid gold|pure gold|gold-plated|gold plated|gold leaf",
    "bronze": "bronze|bronzed|brass|brazen|bronze-coloured|verdigris|patinated",
    "silver": "silver|silvery|pewter|solid silver|silver-plated|platinum|silver-plate|silver plate|silvered",
    "copper": "copper|coppery|rose gold",
    "steel": "steel|iron|metal|metallic|metals|chrome|chromed|aluminium|aluminum|tin|titanium|chromium|stainless steel",
    "marble": "marble|marbled|carrara|alabaster|white marble",
    "stone": "stone|rock|rocky|sandstone|limestone|concrete|cement|petrified|stony|slate stone|stones|rocks|plaster",
    "granite": "granite|basalt",
    "wood": "wood|wooden|oak|timber|pine wood|walnut|carved wood|mahogany wood|teak|bamboo|driftwood|woody",
    "ice": "ice|icy|frozen|ice sculpture|carved ice|iced|glacial|freeze|frozen over",
    "glass": "glass|glassy|glass-like|glasslike|crystal|crystalline|diamond",
    "porcelain": "porcelain|ceramic|ceramics|china|enamel|glazed|bone china|plastic|faience",
    "clay": "clay|terracotta|terra cotta|terra-cotta|earthenware|pottery|mud|muddy|clay-like|plasticine|claymation",
    "gloss": "shiny|glossy|polished|lacquered|varnished|shinier|glossier|sleek|gloss|glaze",
    "jade": "jade|malachite|emerald stone",
    "brick": "brick|bricks|brickwork",
    "sand": "sandy|sand sculpture|made of sand|made out of sand|covered in sand|covered with sand",
    "moss": "moss|mossy|grassy|overgrown|ivy|made of grass|made out of grass|covered in grass|covered with grass|"
            "grass-covered|grass covered|mossed",
    "leather": "leather|leathery",
    "denim": "denim|jeans",
    "lava": "lava|magma|molten|volcanic",
    "wool": "wool|woollen|woolen|knitted|knit|fabric|cloth|linen|felt|felted",
    "camouflage": "camouflage|camo|camouflaged",
    "stripes": "striped|stripes|stripy",
    "checks": "checkered|chequered|checkerboard|plaid|tartan|checked|chequerboard",
    "dots": "dotted|spotted|polka-dot|polka dots|polka-dots|polka dot|dots",
})  # fmt: skip
_WINTER: Meaning = (("winter", 1.0), ("snow", 0.9))
_SEVERAL: dict[str, Meaning] = {
    **dict.fromkeys(
        ("winter", "wintertime", "wintry", "winter wonderland", "christmas", "january", "winterly", "deep winter"), _WINTER
    ),
    "desert": (("dust", 0.8), ("warm", 1.0)),
    "storm": (("overcast", 1.2), ("rain", 1.2)), "stormy": (("overcast", 1.2), ("rain", 1.2)),
    "thunder storm": (("overcast", 1.3), ("rain", 1.3)), "thunderstorm": (("overcast", 1.3), ("rain", 1.3)), "blizzard": (("snow", 1.4), ("fog", 0.8)),
    "snowstorm": (("snow", 1.4), ("fog", 0.8)), "snow storm": (("snow", 1.4), ("fog", 0.8)),
    "noir": (("mono", 1.0), ("contrast", 1.3)), "film noir": (("mono", 1.0), ("contrast", 1.3)),
    "vintage": (("sepia", 0.6), ("faded", 0.5)), "1920s": (("sepia", 0.9), ("faded", 0.3)), "1930s": (("mono", 0.9), ("faded", 0.3)),
    "1970s": (("sepia", 0.4), ("faded", 0.7)), "70s": (("sepia", 0.4), ("faded", 0.7)), "1960s": (("sepia", 0.4), ("faded", 0.7)), "60s": (("sepia", 0.4), ("faded", 0.7)), "retro": (("sepia", 0.6), ("faded", 0.5)),
    "old-fashioned": (("sepia", 0.6), ("faded", 0.5)), "cinematic": (("contrast", 0.7), ("warm", 0.4)),
    "moody": (("dark", 0.7), ("faded", 0.6)), "moodier": (("dark", 0.7), ("faded", 0.6)), "hdr": (("contrast", 0.8), ("vivid", 0.6)),
    "rembrandt lighting": (("dark", 0.8), ("contrast", 1.0), ("warm", 0.6)), "chiaroscuro": (("dark", 0.8), ("contrast", 1.2)), "dreamy": (("flat", 0.8), ("warm", 0.4), ("fog", 0.4)),
    "spooky": (("night", 0.8), ("fog", 0.8)), "halloween": (("night", 0.8), ("fog", 0.8)), "scary": (("night", 0.8), ("fog", 0.8)), "eerie": (("night", 0.8), ("fog", 0.8)),
    "apocalypse": (("dust", 1.0), ("sunset", 0.8)), "apocalyptic": (("dust", 1.0), ("sunset", 0.8)), "post-apocalyptic": (("dust", 1.0), ("sunset", 0.8)),
    "mars": (("dust", 1.2), ("warm", 1.2)), "cloudless": (("sunny", 1.0),), "snow globe": (("snow", 1.2),),
    "arctic": (("snow", 1.2), ("cold", 0.8)), "romantic": (("sunset", 0.7), ("flat", 0.4)),
}  # fmt: skip
PHRASES: dict[str, Meaning] = {
    **_PLAIN, **_SEVERAL,
    "sparkling": (("bright", 0.6), ("contrast", 0.5)), "rusty": (("copper", 1.0), ("dark", 0.5)),
    "rusted": (("copper", 1.0), ("dark", 0.5)),     "❄": (("snow", 1.0),), "⛄": (("winter", 1.0), ("snow", 0.9)), "☃": (("winter", 1.0), ("snow", 0.9)), "🌨": (("snow", 1.0),), "🍂": (("autumn", 1.0),),
    "🍁": (("autumn", 1.0),), "🌃": (("night", 1.0),), "🌙": (("night", 1.0),), "🌅": (("sunset", 1.0),), "🌇": (("sunset", 1.0),), "🌧": (("rain", 1.0),),
    "☔": (("rain", 1.0),), "☀": (("sunny", 1.0),), "🌞": (("sunny", 1.0),), "🌫": (("fog", 1.0),), "🌸": (("spring", 1.0),), "🌊": (("underwater", 1.0),),
    "gloom": (("overcast", 1.0), ("dark", 0.5)), "pitch black": (("night", 1.6),), "sunburnt": (("warm", 1.2),),
}  # fmt: skip
LONGEST_PHRASE = max(len(phrase.split()) for phrase in PHRASES)

DEGREES = {
    "slightly": 0.5, "slight": 0.5, "a bit": 0.5, "a little": 0.5, "a little bit": 0.5, "bit": 0.5, "little": 0.5,
    "a touch": 0.4, "touch": 0.4, "a hint": 0.35, "hint": 0.35, "somewhat": 0.6, "subtle": 0.5, "subtly": 0.5,
    "gently": 0.5, "gentle": 0.5, "faint": 0.35, "faintly": 0.35, "barely": 0.3, "thin": 0.5, "moderately": 0.8,
    "moderate": 0.8, "rather": 0.9, "quite": 1.1, "fairly": 0.8, "really": 1.3, "very": 1.35, "much": 1.35,
    "a lot": 1.4, "lots": 1.4, "lot": 1.4, "strongly": 1.4, "strong": 1.4, "heavily": 1.5, "heavy": 1.5, "dense": 1.5,
    "densely": 1.5, "thick": 1.5, "intense": 1.5, "intensely": 1.5, "deeply": 1.4, "deep": 1.4, "extremely": 1.7,
    "extreme": 1.7, "super": 1.5, "totally": 1.4, "completely": 1.3, "fully": 1.2, "entirely": 1.2, "massively": 1.7,
    "not too": 0.5, "not very": 0.5, "not so": 0.5, "half": 0.5, "twice as": 1.6, "twice": 1.6, "ultra": 1.7,
    "hugely": 1.7, "wildly": 1.7, "mildly": 0.5, "mild": 0.5, "tad": 0.4, "a tad": 0.4, "light": 0.6, "lightly": 0.5,
    "some": 0.8, "partly": 0.5, "kinda": 0.6, "sorta": 0.6, "kind of": 0.6, "sort of": 0.6, "insanely": 1.7, "incredibly": 1.6, "crazy": 1.6,
    "ridiculously": 1.7, "absolutely": 1.4, "terribly": 1.5, "awfully": 1.5, "so very": 1.4, "a dusting of": 0.5, "dusting of": 0.5,
    "a layer of": 1.0, "you can barely see": 1.4, "you can hardly see": 1.4, "one can barely see": 1.4, "remarkably": 1.5, "noticeably": 1.1,
    "considerably": 1.3, "significantly": 1.3, "drastically": 1.6, "dramatically": 1.5, "loads of": 1.5, "tons of": 1.6, "plenty of": 1.4,
    "early": 1.0, "late": 1.0, "ever so slightly": 0.35, "minimally": 0.3, "thicker": 1.3, "thinner": 0.5, "heavier": 1.3, "denser": 1.3, "stronger": 1.3, "weaker": 0.6,
    "a tiny bit": 0.35, "tiny bit": 0.35, "2x": 1.6, "3x": 1.8, "x2": 1.6, "double": 1.6, "triple": 1.8, "two times": 1.6, "three times": 1.8,
    "2 times": 1.6, "3 times": 1.8, "just a bit": 0.5, "just a little": 0.5, "just slightly": 0.5, "a smidge": 0.35, "a smidgen": 0.35, "wee bit": 0.4,
    "a wee bit": 0.4, "a dash of": 0.4, "a pinch of": 0.35, "a trace of": 0.3, "an awful lot": 1.6, "a whole lot": 1.6, "a good deal": 1.4, "almost": 0.8, "way": 1.4, "far": 1.3, "more": 1.15, "even": 1.1, "delicate": 0.5,
}  # fmt: skip
NEGATIONS = frozenset(["not", "no", "never", "don't", "dont", "doesn't", "isn't", "non", "nor", "neither", "avoid", "except",
                       "do not", "without", "without any", "excluding", "isnt", "doesnt", "except for", "apart from", "other than", "aside from", "save for",
                       "everything but", "all but", "anything but", "excepting", "everything except", "all except", "won't",
                       "rather than", "instead of", "shouldn't", "cannot", "can't", "mustn't", "everything apart from"])  # fmt: skip
LESS = frozenset(["less", "fewer", "reduce", "decrease", "lessen", "weaken", "not as", "turn down", "tone down", "bring down", "dial down",
                  "lower", "tone it down", "half as", "not so much", "cut down", "down", "minimise", "minimize", "diminish"])  # fmt: skip
CHANGE = frozenset([
    "make", "makes", "made", "turn", "turns", "turned", "change", "changed", "transform", "transformed", "convert",
    "converted", "recolor", "recolour", "dye", "tint", "set", "render", "rendered", "draw",
    "painted", "drawn", "let", "have", "want", "show", "cover", "covered", "coat", "coated", "imagine", "carve", "carved",
    "cast", "build", "built", "wrap", "wrapped", "sculpt", "sculpted", "fill", "restyle", "reimagine", "apply", "keep",
    "get", "become", "create", "edit", "put it", "bathe", "bathed", "light up", "lit", "paint", "style", "stylize",
    "stylise", "dip", "dipped", "sprinkle", "sprinkled", "shift", "switch", "tinted", "dyed", "coloured", "colored",
    "sculptured", "modify", "adjust", "leave", "turn up", "bring up", "dial up", "crank up", "dust it with", "dust them with", "dust everything with",
    "set it to", "use", "repaint", "repainted", "resurface", "reupholster", "re-cover", "restain", "stain", "go for", "redo", "redecorate", "decorate", "refinish", "plate", "gild it", "touch up", "colour in", "color in", "increase", "boost", "raise", "enhance", "depict", "portray", "forge", "forged",
])  # fmt: skip
ADD = frozenset([
    "add", "adding", "added", "give", "gives", "put", "place", "wear", "wears", "wearing", "insert", "introduce", "bring",
    "drop", "include", "with", "has", "having", "holding", "hold", "plus", "grow", "throw", "lay", "hang", "attach",
])  # fmt: skip
REMOVE = frozenset([
    "remove", "removing", "removed", "delete", "erase", "eliminate", "lose", "strip", "drain", "cut", "hide",
    "discard", "stop", "undo the", "clear away", "sweep away", "wash away", "get rid of", "take away", "take out", "rid", "wipe", "no more",
])  # fmt: skip
REPLACE = frozenset(["replace", "swap", "exchange", "substitute"])
INTO = frozenset(["into", "→", "=>", "as", "like", "to look like", "to be", "out of"])
PLACES = frozenset([
    "on", "upon", "over", "onto", "of", "in", "inside", "around", "behind", "at", "from", "to", "across", "above", "below",
    "beneath", "under", "near", "throughout", "within", "by", "through", "during", "for", "along", "against", "all over",
    "on top of", "in front of",
])  # fmt: skip
COPULAS = frozenset(["is", "are", "be", "becomes", "looks", "look", "was", "were", "being", "appears", "appear", "seem",
                     "seems", "should", "=", "must", "shall", "will", "looked", "it's", "its", "that's", "turned", "gets", "goes"])  # fmt: skip
DEFINITE = frozenset(
    ["the", "his", "her", "their", "my", "our", "your", "this", "that", "these", "those", "every", "each"]
)
INDEFINITE = frozenset(["a", "an", "one", "any"])
JOINS = frozenset(["and", "&", "+"])
STOPS = frozenset(
    [
        ",",
        ";",
        ".",
        "!",
        "?",
        ":",
        "but",
        "then",
        "while",
        "though",
        "although",
        "yet",
        "or",
        "|",
        "/",
        "with",
    ]
)
COLOR_NOUNS = frozenset(["colour", "colours", "color", "colors", "hue", "hues", "tint", "tints", "tone", "tones", "shade",
                         "shades", "colouring", "coloring"])  # fmt: skip
LIGHT_NOUNS = frozenset(["light", "lights", "lighting", "glow", "illumination", "lit", "neon light", "neon lights", "neon lighting", "lamps",
                         "lamp light", "lamplight", "spotlight", "spotlights", "rays", "glowing light"])  # fmt: skip
FORMS = frozenset([
    "statue", "statues", "sculpture", "sculptures", "figure", "figurine", "bust", "monument", "carving", "idol",
    "statuette", "cast",
])  # fmt: skip
FILLERS = frozenset([
    "please", "can", "could", "you", "would", "i", "i'd", "we", "let's", "lets", "it", "him", "them", "me", "us", "he", "she",
    "they", "everything", "all", "whole", "entire", "scene", "scenes", "image", "images", "picture", "pictures", "photo",
    "photos", "photograph", "photographs", "view", "views", "video", "room", "world", "place", "setting", "weather",
    "atmosphere", "mood", "vibe", "vibes", "feel", "feeling", "effect", "effects", "filter", "look", "style", "styled",
    "styles", "version", "theme", "themed", "season", "seasonal", "time", "day", "days", "afternoon", "hour", "date",
    "landscape", "environment", "appearance", "material", "texture", "textured", "surface", "surfaces", "pattern",
    "patterns", "type", "kind", "sort", "manner", "art", "artwork", "piece", "work", "medium", "so", "just", "also",
    "too", "now", "again", "there", "here", "if", "it'd", "were", "had", "been", "taken", "which", "who", "what", "when", "than",
    "same", "thing", "things", "object", "objects", "itself", "overall", "everywhere", "completed", "like", "seem",
    "solid", "pure", "real", "realistic", "nice", "nicely", "beautiful", "beautifully", "pretty", "lovely", "great",
    "good", "perfect", "famous", "classic", "traditional", "old", "layer", "covering", "coating", "blanket", "amount",
    "levels", "level", "setting", "background music", "air", "fine", "go", "goes", "going", "come", "would've", "d",
    "s", "'s", "t", "ll", "using", "use", "used", "possible", "its", "it's", "were it", "today", "painter", "artist",
    "drawings", "paintings", "sketches", "percent", "%", "-", "–", "—", "(", ")", '"', "“", "”", "'", "quality", "wearing off",
    "sky-like", "book", "film", "movie", "print", "hi", "hello", "hey", "thanks", "thank", "ok", "okay", "rendition", "outside",
    "outdoors", "outdoor", "indoor", "look-alike", "somehow", "maybe", "perhaps", "only", "sky colour", "coloured", "shine",
    "shining", "falling", "falls", "fell", "lying", "filled", "full", "colour-wise", "made", "shot", "bath", "fresh", "bare", "as it is", "as they are", "as is", "as it was", "like it is", "the same", "alone", "unchanged",
    "untouched", "intact", "both", "first", "second", "next", "finally", "lastly", "how", "does", "do", "did", "up", "in the distance", "in the air", "into the distance",
    "before", "after", "just before", "right after", "about", "prompt", "pls", "plz", "thx", "ty", "cheers", "love", "finish", "finishing",
    "sheen", "touches", "how about", "what about", "mind", "never mind", "i think", "think", "mostly", "mainly", "again please", "would love",
    "brushed", "weathered", "hammered", "antique", "aged", "page", "pages", "off", "i'm", "am", "is it", "try", "wall-to-wall", "see", "paint",
    "foliage colours", "foliage colors", "mode", "tinted look", "colored look", "that'd", "where", "why", "really want",
    "lots of it", "look and feel", "camera", "photography", "photographic", "scenery", "shot at", "set in", "set at", "in general", "generally", "please make",
])  # fmt: skip
BELONGS = frozenset([  # what a room or a creature has anyway: "give him red hair" adds no hair
    "wall", "walls", "floor", "floors", "ceiling", "roof", "hair", "fur", "eyes", "eye", "skin", "sky", "ground", "background", "ears", "nose",
    "tail", "face", "windows", "doors", "curtains", "carpet", "lips", "mane", "legs", "feet", "hands", "leaves", "foliage", "grass",
])  # fmt: skip
SCENES = frozenset([  # whole places: "a snowy forest" is snow everywhere
    "forest", "garden", "park", "field", "meadow", "valley", "beach", "city", "town", "village", "street", "kitchen", "bathroom", "bedroom",
    "hall", "corridor", "sea", "lake", "river", "mountain", "mountains", "hill", "hills", "winter forest", "jungle", "woods", "countryside",
    "square", "courtyard", "yard", "office", "living room", "interior", "exterior", "planet", "wonderland", "dream", "nightmare", "morning", "evening",
])  # fmt: skip
NOUNS = frozenset([
    "fox", "wall", "walls", "floor", "ground", "ceiling", "roof", "sky", "horse", "dog", "cat", "bear", "bird", "person", "man",
    "woman", "face", "head", "hair", "body", "eye", "eyes", "ear", "ears", "nose", "mouth", "hand", "hands", "leg", "legs", "arm",
    "arms", "foot", "feet", "tail", "shirt", "jacket", "coat", "trousers", "pants", "dress", "hat", "shoe", "shoes", "skin",
    "tree", "trees", "leaf", "leaves", "foliage", "grass", "grass lawn", "lawn", "bush", "bushes", "hedge", "flower", "flowers", "plant",
    "plants", "forest", "garden", "park", "field", "meadow", "mountain", "mountains", "hill", "hills", "valley", "river",
    "lake", "sea", "ocean", "water", "beach", "road", "street", "path", "pavement", "bridge", "house", "houses", "building",
    "buildings", "city", "town", "village", "castle", "tower", "church", "door", "doors", "window", "windows", "table", "chair",
    "chairs", "sofa", "couch", "bed", "desk", "lamp", "carpet", "rug", "curtain", "curtains", "shelf", "shelves", "cupboard",
    "cabinet", "kitchen", "bathroom", "bedroom", "hall", "corridor", "furniture", "car", "cars", "truck", "lorry", "bus", "bike",
    "bicycle", "boat", "ship", "train", "plane", "lego", "toy", "ball", "box", "book", "books", "vase", "cup", "bottle", "plate",
    "bench", "fence", "gate", "fountain", "pot", "basket", "cushion", "pillow", "background", "foreground", "backdrop", "figure",
    "statue", "pedestal", "base", "plinth", "step", "steps", "stairs", "mug", "bowl", "jar", "pillar", "column", "columns",
    "animal", "creature", "guy", "boy", "girl", "child", "bulldozer", "excavator", "drums", "ficus", "hotdog", "ship's",
    "counter", "sink", "mirror", "picture frame", "screen", "monitor", "keyboard", "piano", "guitar", "dinosaur", "fern",
    "orchid", "fortress", "trex", "t-rex", "snout", "beak", "wing", "wings", "mane", "saddle", "fur", "jungle", "woods", "countryside", "square", "courtyard", "yard", "office", "living room", "people",
    "wallpaper", "tabletop", "seat", "pants", "glasses", "gloves", "scarf", "tie", "collar", "neck", "lips",
    "stuffed animal", "teddy bear", "plush", "rocks", "stones", "tiles", "snowman", "ruins", "facade", "chimney", "armchair", "stool", "frame",
    "blanket", "interior", "exterior", "hoof", "hooves", "cap",
])  # fmt: skip
KNOWN_WORDS = frozenset({
    word
    for words in (
        PHRASES, DEGREES, NEGATIONS, LESS, CHANGE, ADD, REMOVE, REPLACE, INTO, PLACES, COPULAS, DEFINITE, INDEFINITE,
        JOINS, STOPS, COLOR_NOUNS, LIGHT_NOUNS, FORMS, FILLERS, NOUNS,
    )
    for phrase in words
    for word in phrase.split()
})  # fmt: skip
