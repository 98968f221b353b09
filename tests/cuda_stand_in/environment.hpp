#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cuda_stand_in {

// What the environment sets; see README.md.

/// The numbers of the devices that this process sees.
const std::vector<int>& visible_devices();
/// Bytes of one.
std::size_t device_memory();

enum class Order { late, eager, random };
Order order();
unsigned order_seed();

/// Whether this call of `function` is one that is to fail. Counts the calls.
bool is_to_fail(const char* function);

/// From here on the `call`-th call of `function` fails, once; or none.
void fail_call(const std::string& function, long call);
void fail_no_call();
/// Whether it has failed since.
bool failed_call();

}  // namespace cuda_stand_in
