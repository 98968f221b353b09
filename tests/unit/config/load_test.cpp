// Files, --set, writing, comparing.

#include "vae_dist/config/load.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_folder.hpp"
#include "unit/config/message_of.hpp"
#include "vae_dist/config/names.hpp"

namespace vae_dist {
namespace {

class ConfigLoad : public testing::Test {
 protected:
    std::string write(const std::string& text) const {
        const std::string path = folder_.file("run.yaml");
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

    static std::string load_message(const std::string& path) {
        try {
            load_config(path, {});
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            return error.what();
        }
        ADD_FAILURE() << "no error from " << path;
        return "";
    }

    TemporaryFolder folder_;
};

// Every key that may be set together has a value other than its default.
Config unusual() {
    Config c;
    c.data.train = DatasetConfig{{"/d/a b.h5", "/d/*.h5"}, "train/x: 1", {{"energy", "e"}, {"place", "p"}}};
    c.data.validation = DatasetConfig{{"/d/v.h5"}, "test/x", {{"energy", "e: 2"}, {"place", "p"}}};
    c.data.conventions = Conventions::netcdf;
    c.data.scale = 0.1;
    c.data.transform = Transform::standardize;
    c.data.shuffle_window = 77;
    c.data.cache = CacheMode::stream;
    c.model.latent_dim = 3;
    c.model.encoder.hidden = {};
    c.model.decoder.hidden = {9, 8, 7, 6, 5, 4, 3, 2, 1};
    c.model.activation = Activation::softplus;
    c.model.likelihood = {LikelihoodKind::gaussian, VarianceKind::decoder};
    c.model.condition = {.on = {"place", "energy"}, .into = {ConditionedPart::decoder}};
    c.objective.beta = 1.0 / 3;
    c.objective.kl_warmup_steps = 12;
    c.objective.free_bits = 1e-20;
    c.optimizer.name = OptimizerKind::adamw;
    c.optimizer.learning_rate = 3e-4;
    c.optimizer.beta1 = 0.95;
    c.optimizer.beta2 = 0.99;
    c.optimizer.epsilon = 1e-7;
    c.optimizer.weight_decay = 0.01;
    c.optimizer.l1 = 1e-5;
    c.optimizer.l2 = 2e-5;
    c.optimizer.clip_norm = 5;
    c.optimizer.schedule.name = ScheduleKind::cosine;
    c.optimizer.schedule.warmup_steps = 100;
    c.optimizer.schedule.decay_steps = 1000;
    c.optimizer.schedule.final_fraction = 0.1;
    c.train.steps = 123456789;
    c.train.batch_size = 100;
    c.train.virtual_ranks = 4;
    c.train.seed = 4294967295U;
    c.train.reduction = Reduction::float32;
    c.train.on_nonfinite = NonFinitePolicy::skip;
    c.train.time_limit = std::chrono::seconds(13801);
    c.train.stall_warning = std::chrono::seconds(90);
    c.train.stall_limit = kForever;
    c.train.consistency_every = 0;
    c.compute.backend = BackendKind::cpu;
    c.compute.communicator = CommunicatorKind::mpi;
    c.compute.threads = 2;
    c.output.directory = "/r/runs: x";
    c.output.log_every = 7;
    c.output.validate_every = 2;
    c.output.checkpoint_every = 3;
    c.output.checkpoint_every_minutes = 0.1;
    c.output.keep = 9;
    c.output.keep_every = 25;
    return c;
}

// What excludes something of `unusual`.
Config unusual_otherwise() {
    Config c;
    c.data.synthetic = SyntheticConfig{SyntheticDistribution::bernoulli, 5, {2, 3}, 9};
    c.data.shuffle = false;
    c.optimizer.name = OptimizerKind::sgd;
    c.optimizer.momentum = 0.5;
    c.optimizer.schedule.name = ScheduleKind::step;
    c.optimizer.schedule.every_steps = 10;
    c.optimizer.schedule.factor = 0.25;
    c.train.epochs = 3;
    c.train.time_limit = kForever;
    c.train.stall_warning = kForever;
    c.output.checkpoint_every_minutes = 30;
    return c;
}

TEST_F(ConfigLoad, EveryKeySurvivesWritingAndReading) {
    for (const Config& config : {unusual(), unusual_otherwise()}) {
        const std::string yaml = to_yaml(config);
        EXPECT_EQ(parse_config(yaml, "written"), config) << yaml;
        EXPECT_EQ(to_yaml(parse_config(yaml, "written")), yaml);
    }
}

TEST_F(ConfigLoad, WrittenYamlIsReadable) {
    const std::string yaml = to_yaml(unusual());
    EXPECT_NE(yaml.find("\nmodel:\n  latent_dim: 3\n  encoder:\n    hidden: []\n"), std::string::npos)
        << yaml;
    EXPECT_NE(yaml.find("\n  epsilon: 1e-07\n"), std::string::npos) << yaml;
    EXPECT_NE(yaml.find("\n    files: [/d/v.h5]\n"), std::string::npos) << yaml;
    EXPECT_NE(yaml.find("\n  time_limit: 3h50m1s\n  stall_warning: 1m30s\n  stall_limit: none\n"),
              std::string::npos)
        << yaml;
    const std::string other = to_yaml(unusual_otherwise());
    EXPECT_NE(other.find("\n  scale: auto\n"), std::string::npos) << other;
    EXPECT_NE(other.find("\n  checkpoint_every_minutes: 30\n"), std::string::npos) << other;
    EXPECT_EQ(other.find("checkpoint_every:"), std::string::npos) << other;
    EXPECT_NE(to_yaml(Config()).find("\n  time_limit: auto\n  stall_warning: 1m\n  stall_limit: 30m\n"),
              std::string::npos);
}

TEST_F(ConfigLoad, PathsBecomeAbsolute) {
    const std::string path = write(
        "data: {train: {files: [sub/../a.h5, /b.h5], dataset: train/x}}\noutput: {directory: runs/x/}\n");
    const Config config = load_config(path, {});
    const std::string here = std::filesystem::current_path().string();
    EXPECT_EQ(config.data.train->files, (std::vector<std::string>{here + "/a.h5", "/b.h5"}));
    EXPECT_EQ(config.data.train->dataset, "train/x");
    EXPECT_EQ(config.output.directory, here + "/runs/x");
}

TEST_F(ConfigLoad, AFileThatCannotBeReadIsNamed) {
    EXPECT_EQ(load_message("/nowhere/run.yaml"),
              "/nowhere/run.yaml: cannot read the configuration: No such file or directory");
    EXPECT_NE(load_message(folder_.path().string()).find("is a folder"), std::string::npos);
    const std::string binary = write(std::string("\x89HDF\r\n\x1a\n\0\0\0\0", 12));
    EXPECT_EQ(load_message(binary),
              binary + ": is not a configuration file: it is not text, or it is too large");
}

TEST_F(ConfigLoad, MessagesNameTheFile) {
    const std::string path = write(kData + "train: {sede: 1}\n");
    EXPECT_EQ(load_message(path), path + ", line 2: unknown key train.sede; did you mean train.seed?");
}

TEST_F(ConfigLoad, OverridesReplaceValuesAndTheLastOneWins) {
    const Config config =
        parsed("model: {latent_dim: 3}\ncompute: {}\n",
               {"model.latent_dim=4", "model.latent_dim=5", "model.encoder.hidden=[200,200]",
                "compute.threads = 2", "output.directory=/r/a=b", "optimizer.schedule.name=cosine"});
    EXPECT_EQ(config.model.latent_dim, 5);
    EXPECT_EQ(config.model.encoder.hidden, (std::vector<std::int64_t>{200, 200}));
    EXPECT_EQ(config.compute.threads, 2);
    EXPECT_EQ(config.output.directory, "/r/a=b");
    EXPECT_EQ(config.optimizer.schedule.name, ScheduleKind::cosine);
}

TEST_F(ConfigLoad, AnOverrideMaySetASectionOrTakeAKeyOut) {
    const Config config =
        parsed("train: {epochs: 5}\n",
               {"data.validation={files: [/a.h5], dataset: x}", "train.epochs=null", "train.steps=9",
                "data.synthetic=~", "data.train={files: /b.h5, dataset: y}"});
    EXPECT_EQ(config.data.validation, (DatasetConfig{{"/a.h5"}, "x"}));
    EXPECT_EQ(config.data.train, (DatasetConfig{{"/b.h5"}, "y"}));
    EXPECT_FALSE(config.data.synthetic.has_value());
    EXPECT_FALSE(config.train.epochs.has_value());
    EXPECT_EQ(config.train.steps, 9);
}

TEST_F(ConfigLoad, ALikelihoodIsAWordOrASectionOfItsKind) {
    const LikelihoodConfig of_feature = {LikelihoodKind::gaussian};
    const LikelihoodConfig of_decoder = {LikelihoodKind::gaussian, VarianceKind::decoder};
    const auto likelihood = [&](const std::string& model, const std::vector<std::string>& overrides = {}) {
        return parsed("model: {" + model + "}\n", overrides).model.likelihood;
    };
    EXPECT_EQ(likelihood("likelihood: gaussian"), of_feature);
    EXPECT_EQ(likelihood("likelihood: {kind: gaussian}"), of_feature);
    EXPECT_EQ(likelihood("likelihood: {kind: gaussian, variance: decoder}"), of_decoder);
    EXPECT_EQ(likelihood("likelihood: {variance: decoder, kind: gaussian}"), of_decoder);
    EXPECT_EQ(likelihood("likelihood: gaussian", {"model.likelihood.variance=decoder"}), of_decoder);
    EXPECT_EQ(likelihood("latent_dim: 2", {"model.likelihood=gaussian", "model.likelihood.variance=decoder"}),
              of_decoder);
    EXPECT_EQ(likelihood("likelihood: {kind: gaussian, variance: decoder}", {"model.likelihood=gaussian"}),
              of_feature);
    EXPECT_EQ(likelihood("latent_dim: 2", {"model.likelihood={kind: gaussian, variance: decoder}"}),
              of_decoder);
}

TEST_F(ConfigLoad, APriorIsAWordOrAWordWithItsNumber) {
    const SizedWord<PriorKind> normal = {PriorKind::standard_normal};
    const SizedWord<PriorKind> mixture = {PriorKind::mixture, 50};
    const auto prior = [&](const std::string& model, const std::vector<std::string>& overrides = {}) {
        return parsed("model: {" + model + "}\n", overrides).model.prior;
    };
    EXPECT_EQ(prior("latent_dim: 2"), normal);
    EXPECT_EQ(prior("prior: standard_normal"), normal);
    EXPECT_EQ(prior("prior: {mixture: 50}"), mixture);
    EXPECT_EQ(prior("prior: standard_normal", {"model.prior={mixture: 50}"}), mixture);
    EXPECT_EQ(prior("prior: {mixture: 5}", {"model.prior.mixture=50"}), mixture);
    EXPECT_EQ(prior("prior: {mixture: 5}", {"model.prior=standard_normal"}), normal);

    Config config = unusual();
    config.objective.free_bits = 0;
    EXPECT_EQ(to_yaml(config).find("prior"), std::string::npos);
    config.model.prior = mixture;
    EXPECT_NE(to_yaml(config).find("  prior:\n    mixture: 50\n"), std::string::npos) << to_yaml(config);
    EXPECT_EQ(parse_config(to_yaml(config), "written").model.prior, mixture);
}

TEST_F(ConfigLoad, AVarianceForEachFeatureIsNotWritten) {
    Config config = unusual();
    const auto has = [&](const std::string& words) {
        return to_yaml(config).find(words) != std::string::npos;
    };
    EXPECT_TRUE(has("kind: gaussian"));
    config.model.likelihood.variance = VarianceKind::feature;
    EXPECT_FALSE(has("variance:"));
    EXPECT_TRUE(has("likelihood: gaussian"));
    EXPECT_EQ(differences(config, unusual()),
              std::vector<std::string>{"model.likelihood.variance is feature rather than decoder"});
    EXPECT_EQ(changed_result_keys(config, unusual()), std::vector<std::string>{"model.likelihood.variance"});
}

TEST_F(ConfigLoad, CheckpointsAreByEpochsUnlessByMinutesAlone) {
    const std::string minutes = "output.checkpoint_every_minutes=30";
    EXPECT_EQ(parsed("").output.checkpoint_every, 1);
    EXPECT_EQ(parsed("").output.checkpoint_every_minutes, std::nullopt);
    EXPECT_EQ(parsed("", {minutes}).output.checkpoint_every, std::nullopt);
    EXPECT_EQ(parsed("", {minutes}).output.checkpoint_every_minutes, 30);
    EXPECT_EQ(parsed("output: {checkpoint_every: 2}", {minutes}).output.checkpoint_every, 2);
    EXPECT_EQ(parsed("output: {checkpoint_every: 2}", {"output.checkpoint_every=null"}).output,
              parsed("").output);
    EXPECT_EQ(parsed("output: {checkpoint_every: 2}", {"output.checkpoint_every=null", minutes}).output,
              parsed("", {minutes}).output);
}

TEST_F(ConfigLoad, AnOverrideThatYamlReadsAsNothingIsAnError) {
    const auto message = [](const std::string& value) {
        return message_after_data("", {"train.seed=" + value});
    };
    EXPECT_EQ(message("#8"),
              "--set train.seed=#8: YAML takes '#8' for a comment; quote the value if it is a text");
    EXPECT_EQ(message("---"),
              "--set train.seed=---: YAML takes '---' for the border of a document; quote the value "
              "if it is a text");
    EXPECT_EQ(message("&b"),
              "--set train.seed=&b: a value that begins with & has an anchor in YAML, which cannot be "
              "used here; quote it if it is a text");
    for (const std::string tag : {"!b", "!", "!!int", "!b 5", "[!b]"}) {
        EXPECT_EQ(message(tag), "--set train.seed=" + tag +
                                    ": a value that begins with ! has a tag in YAML, which cannot be used "
                                    "here; quote it if it is a text");
    }
    EXPECT_EQ(message("@b"), "--set train.seed=@b: a value that begins with @ must be quoted in YAML");
    EXPECT_EQ(message(""), "--set train.seed=: train.seed has no value");
    EXPECT_EQ(message(" "), "--set train.seed= : train.seed has no value");
    EXPECT_EQ(message("\t"),
              "--set train.seed: the value has a control character, such as a tab or the end of a "
              "line");
    EXPECT_EQ(message("Null"),
              "--set train.seed=Null: train.seed has no value; to take a key out, write null in "
              "small letters");
    for (const std::string value :
         {"%YAML 1.2", "%a", "#",    "...", "--- 5", "... 5",  "&b 5",  "!b",   "!b 5",   "! 5",
          "!!int 5",   "*b", "5 #b", "\n",  "\r",    "5\n...", "5\n%v", "NULL", "!!null", "!!null null",
          "&b null",   "|",  ">",    "?",   "-",     ":",      "[]",    "{}",   "\"\"",   "''"}) {
        EXPECT_NE(message(value), "") << value;
    }
}

// It would be the name of one folder for all jobs of a sweep.
TEST_F(ConfigLoad, APlaceholderThatNothingHasReplacedIsAnError) {
    const std::string not_replaced =
        ": nothing has replaced %v here; launch/train.sbatch does, in the arguments of job arrays only: %a, "
        "and with VALUES also %v; quote the value if it is a text";
    for (const std::string setting :
         {"train.seed=%v", "train.seed=4%v", "output.directory=runs/%v", "model.encoder.hidden=[4, %v]",
          "model={latent_dim: %v}", "data.train={files: [/a.h5, /b%v.h5], dataset: x}"}) {
        EXPECT_EQ(message_after_data("", {setting}), "--set " + setting + not_replaced);
    }
    EXPECT_NE(message_after_data("", {"train.seed=%a"}).find("nothing has replaced %a here"),
              std::string::npos);
    for (const std::string line :
         {"seed: %v", "seed: [%v]", "seed: runs/%v", "%v: 3", "{seed: %v}", "- %v"}) {
        EXPECT_EQ(message_after_data("train:\n  " + line + "\n"), "run.yaml, line 3" + not_replaced) << line;
    }
    EXPECT_EQ(message_after_data("%v\n"), "run.yaml, line 2" + not_replaced);
}

// A run's own copy of it is read again when the run goes on.
TEST_F(ConfigLoad, AQuotedTextMayHaveAPlaceholderAndIsWrittenQuoted) {
    const Config config =
        parsed("output: {directory: '/50%a'}\n", {"data={train: {files: ['/%v.h5'], dataset: \"x%v\"}}"});
    EXPECT_EQ(config.output.directory, "/50%a");
    EXPECT_EQ(config.data.train, (DatasetConfig{{"/%v.h5"}, "x%v"}));
    EXPECT_TRUE(differences(config, parse_config(to_yaml(config), "copy.yaml")).empty());
}

TEST_F(ConfigLoad, AnOverrideIsNotCutShort) {
    const auto message = [](const std::string& value) {
        return message_after_data("", {"output.directory=" + value});
    };
    for (const std::string value :
         {"''", "|", "/a #3", "/a\t#3", "/a\n/b", "'/a' #3", "/it's #3", "!/a", "&a /b", "/\xe4"}) {
        EXPECT_NE(message(value), "") << value;
    }
    EXPECT_EQ(parsed("", {"output.directory='/a #3'"}).output.directory, "/a #3");
    EXPECT_EQ(parsed("", {"output.directory=\"/a \\\" #3\""}).output.directory, "/a \" #3");
    EXPECT_EQ(parsed("", {"output.directory=/a#3"}).output.directory, "/a#3");
    EXPECT_EQ(parsed("", {"output={directory: '/a #3'}"}).output.directory, "/a #3");
    EXPECT_EQ(parsed("", {"output.directory='/50%a'"}).output.directory, "/50%a");
    EXPECT_EQ(parsed("", {"output.directory='/...'"}).output.directory, "/...");
}

TEST_F(ConfigLoad, AWrongOverrideIsNamed) {
    const auto message = [](const std::string& text) { return message_after_data("", {text}); };
    EXPECT_EQ(message("train.bacth_size=5"),
              "--set train.bacth_size=5: unknown key train.bacth_size; did you mean train.batch_size?");
    EXPECT_EQ(message("train.bacth_size=null"),
              "--set train.bacth_size=null: unknown key train.bacth_size; did you mean train.batch_size?");
    EXPECT_EQ(message("train.epochs=x"),
              "--set train.epochs=x: train.epochs: expected an integer, found 'x'");
    EXPECT_EQ(message("train.epochs=0"),
              "--set train.epochs=0: train.epochs: 0 is out of range; it must be from 1 to 4,294,967,295");
    EXPECT_EQ(message("train"), "--set train: expected key=value, as in --set train.epochs=5");
    EXPECT_EQ(message("=5"), "--set =5: expected key=value, as in --set train.epochs=5");
    for (const std::string key : {"train..epochs", ".train.epochs", "train.", ".", ".."}) {
        EXPECT_EQ(message(key + "=5"), "--set " + key + "=5: a part of the key '" + key +
                                           "' is empty; write words with one dot between two, as in "
                                           "train.epochs");
    }
    EXPECT_EQ(message("train.epochs="), "--set train.epochs=: train.epochs has no value");
    EXPECT_EQ(message("train=5").substr(0, 40), "--set train=5: train is a section: expec");
    EXPECT_NE(message("model.encoder.hidden=[5").find("--set model.encoder.hidden=[5: not valid YAML"),
              std::string::npos);
    EXPECT_NE(message("optimizer={nam: sgd}").find("unknown key optimizer.nam"), std::string::npos);
    EXPECT_EQ(message("optimizer.momentum=0.5"),
              "--set optimizer.momentum=0.5: optimizer.momentum: 0.5 has no effect with optimizer.name: adam "
              "(the default); remove it");
}

TEST_F(ConfigLoad, ChangedKeysAreThoseThatTheResultDependsOn) {
    const Config before = unusual();
    EXPECT_TRUE(changed_result_keys(before, before).empty());

    Config harmless = before;
    harmless.data.cache = CacheMode::memory;
    harmless.data.train->files = {"/other/place.h5", "/other/more.h5"};
    harmless.compute.communicator = CommunicatorKind::automatic;
    harmless.output = OutputConfig{};
    harmless.train.steps = 5;
    harmless.train.virtual_ranks.reset();
    harmless.train.time_limit.reset();
    harmless.train.stall_warning = std::chrono::seconds(1);
    harmless.train.stall_limit = std::chrono::seconds(2);
    harmless.train.consistency_every = 1;
    EXPECT_TRUE(changed_result_keys(before, harmless).empty());

    Config after = before;
    after.data.train->files = {"/other.h5"};
    after.data.validation.reset();
    after.model.decoder.hidden = {5};
    after.optimizer.learning_rate = 0.1;
    after.train.virtual_ranks = 5;
    after.compute.threads = 8;
    EXPECT_EQ(changed_result_keys(before, after),
              (std::vector<std::string>{"data.validation.files", "data.validation.dataset",
                                        "data.validation.conditions", "model.decoder.hidden",
                                        "optimizer.learning_rate", "train.virtual_ranks"}));
}

// Of the files that auto does not refuse, both give the same numbers.
TEST_F(ConfigLoad, ConventionsAutoAndNoneAreTheSameRun) {
    Config before = unusual();
    Config after = before;
    after.data.conventions = Conventions::none;
    EXPECT_EQ(changed_result_keys(before, after), std::vector<std::string>{"data.conventions"});
    before.data.conventions = Conventions::automatic;
    EXPECT_TRUE(changed_result_keys(before, after).empty());
}

TEST_F(ConfigLoad, ALongerRunIsAnotherOneOnlyForACosineOverAllOfIt) {
    Config before = unusual_otherwise();
    Config after = before;
    after.train.epochs = 4;
    EXPECT_TRUE(changed_result_keys(before, after).empty());
    before.optimizer.schedule.name = after.optimizer.schedule.name = ScheduleKind::cosine;
    EXPECT_EQ(changed_result_keys(before, after), std::vector<std::string>{"train.epochs"});
    before.optimizer.schedule.decay_steps = after.optimizer.schedule.decay_steps = 100;
    EXPECT_TRUE(changed_result_keys(before, after).empty());
}

TEST_F(ConfigLoad, RelativePathsCompareAsAbsoluteOnes) {
    Config before = unusual();
    Config after = before;
    before.data.train->files = {"a.h5"};
    after.data.train->files = {(std::filesystem::current_path() / "sub/../a.h5").string()};
    EXPECT_TRUE(differences(before, after).empty());
}

TEST_F(ConfigLoad, NamesFollowTheEnumerators) {
    EXPECT_STREQ(name_of(Transform::log1p), "log1p");
    EXPECT_STREQ(name_of(CacheMode::automatic), "auto");
    EXPECT_STREQ(name_of(Activation::elu), "elu");
    EXPECT_STREQ(name_of(ScheduleKind::exponential), "exponential");
    EXPECT_STREQ(name_of(CommunicatorKind::nccl), "nccl");
}

}  // namespace
}  // namespace vae_dist
