#include "vae_dist/model/term_values.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace vae_dist {
namespace {

TEST(TermValues, AreFoundByName) {
    TermValues terms(std::vector<std::string>{"reconstruction", "kl"});
    EXPECT_EQ(terms["kl"], 0);
    terms.values()[1] = 4;
    EXPECT_EQ(terms["kl"], 4);
    EXPECT_TRUE(terms.has("reconstruction"));
    EXPECT_FALSE(terms.has("k"));
    expect_error(ErrorKind::bug, {"term"}, [&] { static_cast<void>(terms["iwae_bound"]); });
}

TEST(TermValues, TheElboIsTheReconstructionLessAllKlTerms) {
    EXPECT_EQ((TermValues{{"reconstruction", -90.25}, {"kl", 10.5}}.elbo()), -90.25 - 10.5);
    EXPECT_EQ((TermValues{{"kl/1", 1}, {"reconstruction", -5}, {"kl/2", 2}, {"klx", 100}, {"iwae_bound", -7}}
                   .elbo()),
              -8);
    EXPECT_EQ((TermValues{{"reconstruction/image", -5}, {"reconstruction/label", -2}, {"kl", 1}}.elbo()), -8);
    for (const char* name : {"kl", "kl/1", "reconstruction"})
        EXPECT_TRUE(TermValues::is_of_elbo(name)) << name;
    for (const char* name : {"klx", "iwae_bound", "", "mean/kl"})
        EXPECT_FALSE(TermValues::is_of_elbo(name)) << name;
}

TEST(TermValues, KnowWhetherThereIsABoundAndAnElbo) {
    EXPECT_FALSE((TermValues{{"reconstruction", -5}, {"kl", 1}}.bound()));
    EXPECT_EQ((TermValues{{"reconstruction", -5}, {"iwae_bound", -4}}.bound()), -4);
    EXPECT_TRUE((TermValues{{"kl/1", 1}, {"reconstruction", -5}}.has_elbo()));
    EXPECT_FALSE((TermValues{{"reconstruction", -5}}.has_elbo()));
    EXPECT_FALSE(TermValues().has_elbo());
}

TEST(TermValues, AreTakenOverByNameInWhateverOrder) {
    TermValues terms = {{"a", 1}, {"b", 2}, {"c", 3}};
    terms.assign_by_name({{"c", 30}, {"d", 40}, {"a", 10}});
    EXPECT_EQ(terms["a"], 10);
    EXPECT_EQ(terms["b"], 2);
    EXPECT_EQ(terms["c"], 30);
    EXPECT_EQ(terms.names().size(), 3U);
    terms.assign_by_name(TermValues());
    EXPECT_EQ(terms["a"], 10);
}

}  // namespace
}  // namespace vae_dist
