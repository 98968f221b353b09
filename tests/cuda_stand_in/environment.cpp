#include "environment.hpp"

#include <cstdlib>
#include <sstream>
#include <string_view>

namespace cuda_stand_in {

namespace {

std::string variable(const char* name) {
    const char* const text = std::getenv(name);
    return text == nullptr ? "" : text;
}

long number_of(const std::string& text) {
    return std::strtol(text.c_str(), nullptr, 10);
}

struct Fault {
    std::string function;
    long call = 0;
    long calls = 0;
    bool has_failed = false;
};

// "cudaMalloc:3@1": the third call, on rank 1 alone.
Fault fault_of_environment() {
    const std::string text = variable("VAE_DIST_STAND_IN_FAIL");
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return {};
    const std::size_t at = text.find('@');
    if (at != std::string::npos && text.substr(at + 1) != variable("OMPI_COMM_WORLD_RANK")) return {};
    return {.function = text.substr(0, colon), .call = number_of(text.substr(colon + 1))};
}

Fault& fault() {
    static Fault the = fault_of_environment();
    return the;
}

}  // namespace

const std::vector<int>& visible_devices() {
    static const std::vector<int> the = [] {
        const long count = number_of(variable("VAE_DIST_STAND_IN_DEVICES"));
        std::vector<int> devices;
        const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
        if (visible == nullptr) {
            for (int i = 0; i < count; ++i)
                devices.push_back(i);
            return devices;
        }
        std::istringstream numbers(visible);
        for (std::string number; std::getline(numbers, number, ',');)
            if (number_of(number) < count) devices.push_back(static_cast<int>(number_of(number)));
        return devices;
    }();
    return the;
}

std::size_t device_memory() {
    static const std::size_t the = [] {
        const std::string bytes = variable("VAE_DIST_STAND_IN_MEMORY");
        return bytes.empty() ? std::size_t{80} << 30 : static_cast<std::size_t>(number_of(bytes));
    }();
    return the;
}

Order order() {
    static const Order the = [] {
        const std::string text = variable("VAE_DIST_STAND_IN_ORDER");
        if (text == "eager") return Order::eager;
        return text.starts_with("random") ? Order::random : Order::late;
    }();
    return the;
}

unsigned order_seed() {
    const std::string text = variable("VAE_DIST_STAND_IN_ORDER");
    const std::size_t colon = text.find(':');
    return colon == std::string::npos ? 0 : static_cast<unsigned>(number_of(text.substr(colon + 1)));
}

bool is_to_fail(const char* function) {
    Fault& the = fault();
    const bool fails = the.function == function && ++the.calls == the.call;
    the.has_failed = the.has_failed || fails;
    return fails;
}

void fail_call(const std::string& function, long call) {
    fault() = {.function = function, .call = call};
}

void fail_no_call() {
    fault() = {};
}

bool failed_call() {
    return fault().has_failed;
}

}  // namespace cuda_stand_in
