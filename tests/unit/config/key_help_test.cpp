// What users read about keys.

#include "vae_dist/config/key_help.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <sstream>

#include "support/expect_error.hpp"
#include "unit/config/message_of.hpp"

namespace vae_dist {
namespace {

std::vector<std::string> names_of(const std::vector<KeyHelp>& keys) {
    std::vector<std::string> names;
    names.reserve(keys.size());
    for (const KeyHelp& key : keys)
        names.push_back(key.name);
    return names;
}

KeyHelp help_of(const std::string& name) {
    const std::vector<KeyHelp> keys = key_help_of(name);
    EXPECT_EQ(keys.size(), 1U) << name;
    return keys.front();
}

std::ptrdiff_t words_in(const std::string& text) {
    std::istringstream words(text);
    return std::distance(std::istream_iterator<std::string>(words), std::istream_iterator<std::string>());
}

std::vector<std::string> clauses_of(const std::string& text) {
    static const std::regex end("[.;:] ");
    return {std::sregex_token_iterator(text.begin(), text.end(), end, -1), std::sregex_token_iterator()};
}

TEST(KeyHelp, EveryKeyHasATextOfShortSentencesInOneLine) {
    for (const KeyHelp& key : all_key_help()) {
        EXPECT_GE(words_in(key.meaning), 2) << key.name;
        EXPECT_FALSE(key.meaning.ends_with('.')) << key.name << ": " << key.meaning;
        for (const std::string& clause : clauses_of(key.meaning))
            EXPECT_LE(words_in(clause), 25) << key.name << ": " << clause;
        for (const std::string& text : {key.default_value, key.allowed, key.meaning, key.may_change}) {
            EXPECT_FALSE(text.empty()) << key.name;
            EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~' && c != '|'; }))
                << key.name << ": " << text;
            EXPECT_EQ(text.find("  "), std::string::npos) << key.name << ": " << text;
            EXPECT_EQ(std::ranges::count(text, '`') % 2, 0) << key.name << ": " << text;
        }
    }
}

TEST(KeyHelp, DefaultAndAllowedValuesAreThoseOfTheConfiguration) {
    EXPECT_EQ(help_of("model.activation").allowed, "`relu`, `tanh`, `gelu`, `silu`, `softplus`, `elu`");
    EXPECT_EQ(help_of("model.activation").default_value, "`relu`");
    EXPECT_EQ(help_of("model.encoder.hidden").default_value, "[512, 512]");
    EXPECT_EQ(help_of("train.seed").allowed, "0 to 2^32 - 1");
    EXPECT_EQ(help_of("train.virtual_ranks").allowed, "`auto`, or 1 to 10^6");
    EXPECT_EQ(help_of("train.time_limit").allowed, "`auto`, `none`, or a duration");
    EXPECT_EQ(help_of("optimizer.epsilon").default_value, "1e-08");
    EXPECT_EQ(help_of("optimizer.learning_rate").allowed, "1e-30 to 1e30");
    EXPECT_EQ(help_of("optimizer.schedule.factor").allowed, "above 0, to 1");
    EXPECT_EQ(help_of("data.scale").allowed, "`auto`, or a number other than 0");
    EXPECT_EQ(help_of("objective.beta").allowed, "from 0 on");
}

TEST(KeyHelp, SettingsOfUpdateRulesAreKeysWhoseTextNamesTheRule) {
    for (std::size_t i = 0; i < kUpdateRules.size(); ++i) {
        for (const std::string setting : setting_names(kUpdateRules[i])) {
            const std::string meaning = help_of("optimizer." + setting).meaning;
            EXPECT_NE(meaning.find(kUpdateNames[i]), std::string::npos) << setting << ": " << meaning;
        }
    }
}

TEST(KeyHelp, DefaultsThatAreWrittenInWordsAreTrue) {
    const Config config = parsed("");
    EXPECT_EQ(help_of("train.epochs").default_value,
              std::to_string(config.train.epochs.value_or(0)) + ", unless `train.steps` is given");
    EXPECT_EQ(help_of("output.checkpoint_every").default_value,
              std::to_string(config.output.checkpoint_every.value_or(0)) +
                  ", unless `output.checkpoint_every_minutes` is given");
}

TEST(KeyHelp, IsFoundByKeySectionAndLastPart) {
    EXPECT_EQ(names_of(key_help_of("train.seed")), std::vector<std::string>{"train.seed"});
    EXPECT_EQ(names_of(key_help_of("data.validation")),
              (std::vector<std::string>{"data.validation.files", "data.validation.dataset",
                                        "data.validation.conditions"}));
    EXPECT_EQ(names_of(key_help_of("hidden")),
              (std::vector<std::string>{"model.encoder.hidden", "model.decoder.hidden"}));
    EXPECT_EQ(names_of(key_help_of("schedule")), names_of(key_help_of("optimizer.schedule")));
    EXPECT_EQ(key_help_of("objective").size(), 4U);
}

TEST(KeyHelp, AnUnknownNameIsAnErrorWithTheNearestOne) {
    expect_error(ErrorKind::input, {"there is no key or section 'trian'; did you mean train?"},
                 [] { key_help_of("trian"); });
    expect_error(ErrorKind::input, {"did you mean optimizer.learning_rate?"},
                 [] { key_help_of("optimizer.learnrate"); });
    expect_error(ErrorKind::input, {"did you mean optimizer.learning_rate?"}, [] { key_help_of("lr"); });
    expect_error(ErrorKind::input, {"it belongs elsewhere: optimizer.momentum"},
                 [] { key_help_of("train.momentum"); });
}

TEST(KeyHelp, PlainTextFitsItsColumnsAndHasNoMarkdown) {
    const std::string text = plain_text(all_key_help(), 60);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 60U) << line;
    EXPECT_EQ(text.find('`'), std::string::npos);
    EXPECT_EQ(text.find("]("), std::string::npos);
    EXPECT_EQ(plain_text(key_help_of("data.cache"), 60),
              "data.cache\n"
              "    memory: keep each rank's samples; stream: read them in\n"
              "    every epoch, in bounded memory; auto: memory if they fit\n"
              "    easily\n"
              "    default: auto\n"
              "    allowed: auto, memory, stream\n"
              "    may change later: yes\n");
}

}  // namespace
}  // namespace vae_dist
