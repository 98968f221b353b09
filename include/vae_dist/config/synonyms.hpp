#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vae_dist {

/// The keys that someone who knows other trainers may mean by `word`: "lr" and "Learning-Rate" for
/// optimizer.learning_rate, "epochs" for train.epochs. A key's own name in dots, its last part and the words
/// of the field are known; case, '_', '-' and blanks do not count. {} where none is.
std::vector<std::string> keys_meant_by(std::string_view word);

/// What of `values`, the words that `key` takes, is meant by the word of another trainer: "normal" for
/// model.likelihood is "gaussian"; {} if none is.
std::string value_meant_by(std::string_view key, std::string_view word,
                           const std::vector<std::string>& values);

}  // namespace vae_dist
