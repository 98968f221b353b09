#include "architecture/definitions.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace vae_dist::test {

namespace {

using Types = std::vector<std::string>;

TEST(Definitions, OfEveryKindOfTypeAreFound) {
    EXPECT_EQ(
        types_defined_in("class A {};\nstruct B final : A { int x; };\nunion C { int i; };\n"
                         "enum D { d };\nenum class E : int { e };\n"
                         "template <class T = std::vector<int>>\nstruct [[nodiscard]] F {};\n"
                         "template <>\nstruct alignas(2 * sizeof(int)) F<int> {};\nclass A::Inner {};\n"),
        (Types{"A", "A::Inner", "B", "C", "D", "E", "F", "F<int>"}));
}

TEST(Definitions, HaveTheNamesOfTheirNamespaces) {
    EXPECT_EQ(
        types_defined_in("namespace a {\nclass X {};\nnamespace b::c { class X {}; }\n}  // namespace a\n"
                         "class X {};\nextern \"C\" { struct Y {}; }\ninline namespace d { class Z {}; }\n"),
        (Types{"X", "Y", "a::X", "a::b::c::X", "d::Z"}));
}

TEST(Definitions, ThatTheLinkerDoesNotSeeAreLeftOut) {
    EXPECT_EQ(types_defined_in("namespace a {\nnamespace {\nclass X {};\nnamespace b { class X {}; }\n}\n}\n"
                               "class Y { class X {}; struct Z { int z; }; };\nvoid f() { struct X {}; }\n"),
              (Types{"Y"}));
}

TEST(Definitions, OfAFileAreThoseInItsAnonymousNamespaces) {
    EXPECT_EQ(types_defined_in("namespace a {\nclass V {};\nnamespace {\nclass X { struct I {}; };\n"
                               "namespace b { struct Y {}; }\nvoid f() { struct Z {}; }\n}\n}\n"
                               "namespace { enum W { w }; }\nstruct U { struct X {}; };\n",
                               TypeScope::file),
              (Types{"W", "a::X", "a::b::Y"}));
}

TEST(Definitions, AreToldFromDeclarationsFunctionsAndValues) {
    EXPECT_EQ(types_defined_in("class X;\nenum class E : int;\nstruct Y f(struct Z z) { return {z}; }\n"
                               "struct Y table[] = {{1}, {2}};\nfriend class W;\nusing V = struct U;\n"),
              (Types{}));
}

TEST(Definitions, InCommentsStringsAndMacrosAreNone) {
    EXPECT_EQ(types_defined_in(
                  "// class A {\n/* class B { \n **/ const char* s = \"class \\\" C {\"; char c = '{';\n"
                  "#define D(x) \\\n  class x {\nauto r = R\"x(class E { )\" )x\";\n"
                  "int i = 1'000'000;\nclass F {};\n"),
              (Types{"F"}));
}

TEST(Definitions, BracketsThatDoNotMatchAreAnError) {
    EXPECT_THROW(types_defined_in("namespace a {\n"), std::runtime_error);
    EXPECT_THROW(types_defined_in("class A {}; }\n"), std::runtime_error);
    EXPECT_THROW(types_defined_in("auto r = R\"(\";"), std::runtime_error);
}

}  // namespace

}  // namespace vae_dist::test
