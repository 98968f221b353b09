#include "vae_dist/config/synonyms.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "config/keys.hpp"
#include "vae_dist/config/names.hpp"

namespace vae_dist {

namespace {

struct Meaning {
    const char* meant;  ///< a key, or several with blanks between them
    const char* words;  ///< in small letters, with blanks between them
};

constexpr Meaning kKeys[] = {
    {"optimizer.learning_rate", "lr rate stepsize eta alpha baselr initlr maxlr"},
    {"optimizer.name", "optim opt optimizertype solver"},
    {"optimizer.weight_decay", "wd decay"},
    {"optimizer.epsilon", "eps adameps adamepsilon"},
    {"optimizer.beta1 optimizer.beta2", "betas adambetas"},
    {"optimizer.clip_norm",
     "clip gradclip clipgrad clipgradnorm gradclipnorm gradientclip gradientclipping gradientclipval "
     "maxgradnorm "
     "clipvalue maxnorm"},
    {"optimizer.schedule.name", "scheduler lrscheduler lrschedule lrdecay cosine exponential"},
    {"optimizer.schedule.warmup_steps", "warmup lrwarmup warmupepochs"},
    {"train.epochs", "epoch nepochs numepochs maxepochs nbepochs"},
    {"train.steps", "nsteps numsteps maxsteps iterations iters niter numiterations maxiter maxiters"},
    {"train.batch_size", "bs batch minibatch minibatchsize trainbatchsize globalbatchsize nbatch"},
    {"train.seed", "randomseed randomstate manualseed rng rngseed"},
    {"train.precision", "dtype amp fp16 bf16 half mixedprecision bfloat16 float16 autocast"},
    {"train.time_limit", "maxtime walltime timeout timelimit"},
    {"train.virtual_ranks", "ranks worldsize nproc nprocs"},
    {"objective.beta", "klweight klbeta betavae klcoefficient klcoeff"},
    {"objective.kl_warmup_steps", "klwarmup klannealing annealing klannealsteps betawarmup"},
    {"objective.importance_samples", "k iwae iwaesamples numsamples mcsamples nimportancesamples"},
    {"model.likelihood",
     "mse bce loss lossfunction lossfn criterion reconstructionloss recloss normal gaussian bernoulli "
     "crossentropy "
     "observationmodel outputdistribution decoderdistribution"},
    {"model.latent_dim",
     "z zdim zsize dimz nz latent latents latentsize latentdims latentdimension nlatent numlatents codesize "
     "bottleneck embeddingdim"},
    {"model.encoder.hidden model.decoder.hidden",
     "hiddensize hiddendim hiddendims hiddensizes hiddenunits hiddenlayers nhidden units width widths "
     "architecture "
     "layers"},
    {"model.activation", "act nonlinearity activationfunction activationfn relu gelu tanh silu elu softplus"},
    {"compute.backend", "device gpu gpus cuda cpu accelerator usecuda ngpu"},
    {"compute.threads", "numworkers workers nworkers numthreads nthreads ompnumthreads njobs cores cpus"},
    {"compute.communicator", "nccl distbackend"},
    {"data.train", "traindata trainset trainfile trainfiles datapath datafile inputfile traindataset"},
    {"data.validation", "val valid test valdata validationdata validset testdata testset eval"},
    {"data.transform",
     "normalize normalise normalization standardize standardise standardization preprocessing scaler "
     "binarize binarise "
     "log1p threshold"},
    {"output.directory",
     "dir out outdir outputdir savedir logdir folder rundir checkpointdir ckptdir workdir outputdirectory "
     "savepath"},
    {"output.log_every", "loginterval logfrequency logsteps printevery loggingsteps"},
    {"output.checkpoint_every",
     "saveevery saveinterval savefrequency checkpointinterval savesteps checkpointfrequency"},
    {"output.validate_every",
     "valinterval evalevery evalinterval validationinterval valevery validateinterval"},
    {"output.keep", "savetotallimit maxcheckpoints keeplast"},
};

struct ValueMeaning {
    const char* key;
    const char* value;
    const char* words;
};

constexpr ValueMeaning kValues[] = {
    {"model.likelihood", "gaussian", "normal gauss mse l2 meansquarederror squarederror real continuous"},
    {"model.likelihood", "bernoulli", "bce binary crossentropy binarycrossentropy sigmoid logits"},
    {"model.prior", "standard_normal", "normal gaussian gauss isotropic n01 standardgaussian"},
    {"model.prior", "mixture", "mog gmm gaussianmixture mixtureofgaussians"},
    {"model.activation", "silu", "swish"},
    {"data.synthetic.distribution", "normal", "gaussian gauss randn"},
    {"data.synthetic.distribution", "uniform", "rand"},
    {"data.synthetic.distribution", "bernoulli", "binary"},
    {"data.transform", "standardize",
     "normalize normalise standardise zscore standard standardscaler whiten"},
    {"data.transform", "binarize", "binary binarise bernoulli"},
    {"data.transform", "log1p", "log"},
    {"data.cache", "memory", "ram"},
    {"data.cache", "stream", "disk no none off"},
    {"optimizer.name", "sgd", "momentum gradientdescent"},
    {"optimizer.schedule.name", "constant", "none off"},
    {"optimizer.schedule.name", "cosine", "cosineannealing cosinedecay"},
    {"optimizer.schedule.name", "exponential", "exp"},
    {"optimizer.schedule.name", "step", "steplr stairs multistep"},
    {"train.precision", "float32", "fp32 f32 32 single full float tf32"},
    {"train.precision", "bfloat16", "bf16 16 half mixed amp fp16 float16"},
    {"train.reduction", "float32", "fp32 f32 single"},
    {"train.reduction", "bfloat16", "bf16 half fp16 float16"},
    {"train.on_nonfinite", "stop", "error raise fail"},
    {"train.on_nonfinite", "skip", "ignore continue"},
    {"compute.backend", "cuda", "gpu nvidia device cuda0 gpu0"},
    {"compute.backend", "cpu", "host processor processors"},
    {"compute.communicator", "mpi", "gloo openmpi"},
};

// "Learning-Rate" as "learningrate".
std::string plain(std::string_view word) {
    std::string letters;
    for (const unsigned char c : word) {
        if (std::isalnum(c)) letters += static_cast<char>(std::tolower(c));
    }
    return letters;
}

std::vector<std::string> words_of(const char* text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
        words.push_back(word);
    return words;
}

bool is_among(const std::string& word, const char* text) {
    const std::vector<std::string> words = words_of(text);
    return std::ranges::find(words, word) != words.end();
}

}  // namespace

std::vector<std::string> keys_meant_by(std::string_view word) {
    const std::string letters = plain(word.substr(word.rfind('.') + 1));
    if (letters.empty()) return {};
    std::vector<std::string> namesakes;
    for (const Key& key : all_keys()) {
        if (key.name == word) return {key.name};
        if (plain(std::string_view(key.name).substr(key.name.rfind('.') + 1)) == letters)
            namesakes.push_back(key.name);
    }
    if (!namesakes.empty()) return namesakes;
    if (std::ranges::any_of(kUpdateNames, [&](const char* name) { return plain(name) == letters; }))
        return {"optimizer.name"};
    for (const auto& [meant, words] : kKeys) {
        if (is_among(letters, words)) return words_of(meant);
    }
    return {};
}

std::string value_meant_by(std::string_view key, std::string_view word,
                           const std::vector<std::string>& values) {
    const std::string letters = plain(word);
    for (const std::string& value : values) {
        if (plain(value) == letters) return value;
    }
    for (const auto& [name, value, words] : kValues) {
        if (name == key && is_among(letters, words)) return value;
    }
    return "";
}

}  // namespace vae_dist
