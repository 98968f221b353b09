// What a document may look like: YAML, sections and keys.

#include <gtest/gtest.h>

#include <algorithm>

#include "config/document.hpp"
#include "unit/config/message_of.hpp"
#include "vae_dist/config/key_help.hpp"
#include "vae_dist/config/synonyms.hpp"

namespace vae_dist {
namespace {

TEST(ConfigSyntax, AnUnknownKeyIsNamedWithItsLineAndTheNearestKey) {
    EXPECT_EQ(message_after_data("train:\n  seed: 3\n  bacth_size: 64\n"),
              "run.yaml, line 4: unknown key train.bacth_size; did you mean train.batch_size?");
    EXPECT_EQ(message_after_data("optimiser: {name: sgd}\n"),
              "run.yaml, line 2: unknown key optimiser; did you mean optimizer?");
    EXPECT_EQ(message_after_data("model: {encoder: {hiden: [5]}}\n"),
              "run.yaml, line 2: unknown key model.encoder.hiden; did you mean model.encoder.hidden?");
    EXPECT_EQ(message_after_data("output: {checkpoint_every_minute: 5}\n"),
              "run.yaml, line 2: unknown key output.checkpoint_every_minute; did you mean "
              "output.checkpoint_every_minutes?");
}

TEST(ConfigSyntax, AKeyInTheWrongSectionIsToldWhereItBelongs) {
    EXPECT_EQ(message_after_data("train:\n  learning_rate: 0.1\n"),
              "run.yaml, line 3: unknown key train.learning_rate; it belongs elsewhere: "
              "optimizer.learning_rate");
    EXPECT_EQ(message_after_data("schedule: {name: cosine}\n"),
              "run.yaml, line 2: unknown key schedule; it belongs elsewhere: optimizer.schedule");
    EXPECT_EQ(message_after_data("model: {hidden: [5]}\n"),
              "run.yaml, line 2: unknown key model.hidden; it belongs elsewhere: model.decoder.hidden and "
              "model.encoder.hidden");
}

TEST(ConfigSyntax, TheWordsOfOtherTrainersAreUnderstood) {
    const auto advice = [](const std::string& key) {
        const std::string message = message_after_data("", {key + "=1"});
        return message.substr(message.find("; ") + 2);
    };
    EXPECT_EQ(advice("train.lr"), "did you mean optimizer.learning_rate?");
    EXPECT_EQ(advice("lr"), "did you mean optimizer.learning_rate?");
    EXPECT_EQ(advice("optimizer.LearningRate"), "did you mean optimizer.learning_rate?");
    EXPECT_EQ(advice("train.bs"), "did you mean train.batch_size?");
    EXPECT_EQ(advice("device"), "did you mean compute.backend?");
    EXPECT_EQ(advice("train.gpu"), "did you mean compute.backend?");
    EXPECT_EQ(advice("optimizer.num_epochs"), "did you mean train.epochs?");
    EXPECT_EQ(advice("epochs"), "it belongs elsewhere: train.epochs");
    EXPECT_EQ(advice("model.z_dim"), "did you mean model.latent_dim?");
    EXPECT_EQ(advice("train.loss"), "did you mean model.likelihood?");
    EXPECT_EQ(advice("data.num_workers"), "did you mean compute.threads?");
    EXPECT_EQ(advice("model.hidden_layers"), "did you mean model.encoder.hidden or model.decoder.hidden?");
    EXPECT_EQ(advice("train.momentum"), "it belongs elsewhere: optimizer.momentum");
    // The nearest name of all sections, not only of the one that was written.
    EXPECT_EQ(advice("train.lerning_rate"), "did you mean optimizer.learning_rate?");
}

TEST(ConfigSyntax, EachWordOfOtherTrainersMeansAKeyOrASection) {
    for (const std::string word :
         {"lr", "wd", "optim", "betas", "seed", "mse", "bce", "normal", "latent", "k", "amp", "val",
          "traindata", "logdir", "save_every", "warmup", "clip", "scheduler"}) {
        for (const std::string& key : keys_meant_by(word)) {
            EXPECT_NE(message_after_data("", {key + "=[x"}).find("not valid YAML"), std::string::npos) << key;
            EXPECT_TRUE(std::ranges::any_of(all_key_help(), [&](const KeyHelp& known) {
                return known.name.starts_with(key);
            })) << key;
        }
        EXPECT_FALSE(keys_meant_by(word).empty()) << word;
    }
    EXPECT_TRUE(keys_meant_by("xyzzy").empty());
    EXPECT_TRUE(keys_meant_by("--").empty());
}

TEST(ConfigSyntax, AKeyLikeNoOtherIsAnsweredWithWhatThereIs) {
    EXPECT_EQ(message_after_data("compute: {xyzzyqwk: 1}\n"),
              "run.yaml, line 2: unknown key compute.xyzzyqwk; known here: compute.backend, "
              "compute.communicator, compute.overlap, compute.shared_memory and compute.threads");
}

TEST(ConfigSyntax, ARepeatedKeyOrSectionIsAnError) {
    EXPECT_EQ(message_after_data("train:\n  seed: 3\n  epochs: 2\n  seed: 4\n"),
              "run.yaml, line 5: train.seed is there twice; the first is on line 3");
    EXPECT_EQ(message_after_data("train: {seed: 3}\nmodel: {latent_dim: 4}\ntrain: {epochs: 2}\n"),
              "run.yaml, line 4: train is there twice; the first is on line 2");
}

TEST(ConfigSyntax, ASectionMustHoldKeys) {
    EXPECT_EQ(message_after_data("train: 5\n"),
              "run.yaml, line 2: train is a section: expected keys below it, found '5'");
    EXPECT_EQ(message_after_data("model:\n  encoder: [200, 200]\n"),
              "run.yaml, line 3: model.encoder is a section: expected keys below it, found a list");
    EXPECT_EQ(message_of("- data\n- model\n"),
              "run.yaml, line 1: expected sections such as 'train:', found a list");
    EXPECT_EQ(message_of("\n\nhello\n"),
              "run.yaml, line 3: expected sections such as 'train:', found 'hello'");
}

TEST(ConfigSyntax, ANullForASectionMeansItsDefaultsButAnEmptyDataSectionIsAnError) {
    EXPECT_EQ(parsed("train: {}\nmodel: null\ncompute: ~ # as it is\n"), parsed(""));
    EXPECT_EQ(message_of("data:\n  synthetic: null\n"),
              "run.yaml, line 2: data.synthetic has no value; expected a section of keys");
}

TEST(ConfigSyntax, ASectionWithNothingAfterItIsAnError) {
    const std::string advice =
        " is a section with nothing in it; put keys below it, indented, or leave it out";
    EXPECT_EQ(message_after_data("train:\nmodel: {latent_dim: 3}\n"), "run.yaml, line 2: train" + advice);
    EXPECT_EQ(message_after_data("train: #5\n"), "run.yaml, line 2: train" + advice);
    EXPECT_EQ(message_after_data("model: {encoder: , decoder: {}}\n"),
              "run.yaml, line 2: model.encoder" + advice);
    EXPECT_EQ(message_after_data("train: Null\n"), "run.yaml, line 2: train" + advice);
}

TEST(ConfigSyntax, AKeyWithNothingAfterItIsAnError) {
    for (const std::string value : {"", " ", " # 5", " ~", " null"}) {
        EXPECT_EQ(message_after_data("train:\n  seed:" + value + "\n  epochs: 3\n"),
                  "run.yaml, line 3: train.seed has no value; expected an integer");
    }
    EXPECT_EQ(message_after_data("train: {epochs: , seed: 5}\n"),
              "run.yaml, line 2: train.epochs has no value; expected an integer");
    EXPECT_EQ(
        message_after_data("model: {encoder: {hidden: [5, ]}, decoder: {hidden: [5,,6]}}\n").substr(0, 16),
        "run.yaml, line 2");
}

TEST(ConfigSyntax, WhatYamlPassesOverIsRefused) {
    EXPECT_EQ(
        message_of("%YAML 1.2\n---\n" + kData),
        "run.yaml, line 1: what begins with % is a directive in YAML, which cannot be used here; quote it "
        "if it is a text");
    EXPECT_EQ(
        message_of(kData + "train: {seed: &s 5}\n"),
        "run.yaml, line 2: a value that begins with & has an anchor in YAML, which cannot be used here; "
        "quote it if it is a text");
    for (const std::string value : {"!x", "!x 5", "! 5", "!!int 5", "!<x> 5"}) {
        EXPECT_EQ(
            message_of(kData + "train: {seed: " + value + "}\n"),
            "run.yaml, line 2: a value that begins with ! has a tag in YAML, which cannot be used here; "
            "quote it if it is a text");
    }
    EXPECT_EQ(
        message_of("data: {train: {files: *.h5, dataset: x}}\n"),
        "run.yaml, line 1: a value that begins with * is an alias in YAML, which cannot be used here; repeat "
        "the value, or quote it if it is a text");
    EXPECT_EQ(message_of(kData + "output: {directory: gr\xf6\xdf"
                                 "e}\n"),
              "run.yaml, line 2: a character is not UTF-8; save the text as UTF-8");
    EXPECT_EQ(parsed("output: {directory: '/%a'}").output.directory, "/%a");
    EXPECT_EQ(parsed("output: {directory: '/&a !b *c'}").output.directory, "/&a !b *c");
}

TEST(ConfigSyntax, AQuoteThatIsNotClosedIsFoundAfterLettersOfManyBytes) {
    EXPECT_EQ(message_after_data("output: {directory: /\xC3\xA4\xC3\xA4, keep: 'x\n', log_every: 5}\n"),
              "run.yaml, line 2: a text that begins with ' must end with ' on the same line");
}

TEST(ConfigSyntax, AnEmptyFileIsAnError) {
    EXPECT_EQ(message_of(""), "run.yaml: the configuration is empty");
    EXPECT_EQ(message_of("# nothing but this\n"), "run.yaml: the configuration is empty");
}

TEST(ConfigSyntax, ADottedKeyIsNotTakenForASection) {
    EXPECT_EQ(message_after_data("train.epochs: 5\n"),
              "run.yaml, line 2: write train.epochs as epochs inside the section before it");
}

TEST(ConfigSyntax, WhatIsNoYamlIsNamedByItsLine) {
    EXPECT_EQ(message_after_data("model:\n  latent_dim: [3\ntrain: {seed: 1}\n").substr(0, 16),
              "run.yaml, line 4");
    EXPECT_NE(message_after_data("model: {latent_dim: 3\n").find("not valid YAML"), std::string::npos);
}

TEST(ConfigSyntax, ATextThatIsNeverClosedDoesNotSwallowTheKeysAfterIt) {
    EXPECT_EQ(message_after_data("output:\n  directory: \"x\n  keep: 5\n"),
              "run.yaml, line 3: a text that begins with \" must end with \" on the same line");
    EXPECT_EQ(message_after_data("output: {directory: 'x\n, keep: 5}\ntrain: {seed: '5'}\n"),
              "run.yaml, line 2: a text that begins with ' must end with ' on the same line");
    EXPECT_EQ(parsed("output: {keep: 2, directory: \"/\\\"\xC3\xA4\"}\n").output.directory, "/\"\xC3\xA4");
}

TEST(ConfigSyntax, ATabThatIndentsIsAnErrorAndOneElsewhereIsNot) {
    EXPECT_EQ(message_after_data("train:\n\tseed: 5\n"), "run.yaml, line 3: indented by a tab; use spaces");
    EXPECT_EQ(parsed("train: {seed: 5}\t# five\n\t\n").train.seed, 5U);
}

TEST(ConfigSyntax, OneDocumentWithPlainKeysAndNoAnchors) {
    EXPECT_EQ(message_after_data("---\ntrain: {seed: 5}\n"),
              "run.yaml, line 2: a second document begins here, by '---' or by less indentation; only one is "
              "allowed");
    EXPECT_NE(message_of("  model:\n    latent_dim: 5\ntrain:\n    seed: 5\n").find("run.yaml, line 3"),
              std::string::npos);
    EXPECT_EQ(message_after_data("[a, b]: 5\n"),
              "run.yaml, line 2: a key must be a plain word, found a list");
    EXPECT_EQ(
        message_after_data("model:\n  encoder: &e {hidden: [5]}\n  decoder: *e\n"),
        "run.yaml, line 3: a value that begins with & has an anchor in YAML, which cannot be used here; "
        "quote it if it is a text");
}

TEST(ConfigSyntax, WindowsLineEndsAndAByteOrderMarkAreRead) {
    const Config config = parse_config(
        "\xEF\xBB\xBF"
        "data: {synthetic: {distribution: uniform}}\r\ntrain:\r\n  seed: 5\r\n",
        "run.yaml");
    EXPECT_EQ(config.train.seed, 5U);
}

TEST(ConfigSyntax, TextsSurviveWritingAndReading) {
    for (const std::string text :
         {"",    "null",  "~",    "true", "12",  "a b",      "a: b", "a #b", "*a",  "&a", "[a",  "{a",  "- a",
          "'a'", "\"a\"", "a\nb", "\ta",  " a ", "\xC3\xA4", "!a",   "%a",   "a%v", "@a", "a,b", "a\\b"}) {
        Node root;
        root.put("scalar", Node::scalar(text));
        root.put("list", Node::list({text, "x"}));
        const Node back = read_yaml(write_yaml(root), "text");
        ASSERT_EQ(back.children.size(), 2U) << text;
        EXPECT_EQ(back.find("scalar")->kind, Node::Kind::scalar) << text;
        EXPECT_EQ(back.find("scalar")->text, text);
        EXPECT_EQ(back.find("list")->children[0].text, text);
    }
}

}  // namespace
}  // namespace vae_dist
